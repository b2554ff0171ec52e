//! What compiling a hostile schema or pattern takes, counted byte by byte. One test, for the count is of the whole process.

#![expect(unsafe_code, reason = "an allocator that counts can't be written without")]
#![expect(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use monstrum_guardian::{Allowance, Schema};
use serde_json::{Map, Value, json};

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is handed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(live, Ordering::Relaxed);
        // SAFETY: the caller's promises are those of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn with_patterns(count: usize, pattern: &str) -> Value {
    let properties: Map<_, _> = (0..count)
        .map(|number| {
            let pattern = pattern.replace('N', &number.to_string());
            (
                format!("p{number}"),
                json!({"type": "string", "pattern": pattern}),
            )
        })
        .collect();
    json!({"type": "object", "properties": properties})
}

#[test]
fn hostile_schemas_take_little_memory_and_time() {
    let schemas = [
        ("large repetitions", with_patterns(20, r"^\p{L}{200}N$")),
        ("as large as is permitted", with_patterns(20, r"^\p{L}{9}N$")),
        ("as many as are permitted", with_patterns(128, "^[a-z]{1,40}N$")),
        ("long", with_patterns(20, &format!("{}N", r"\p{L}".repeat(800)))),
        (
            "in both cases",
            with_patterns(20, &format!("(?i){}N", r"\p{L}".repeat(150))),
        ),
        ("nested", with_patterns(20, "((((a{9}){9}){9}){9}){9}N")),
    ];
    for (name, schema) in schemas {
        let (before, began) = (LIVE.load(Ordering::Relaxed), Instant::now());
        PEAK.store(before, Ordering::Relaxed);
        let taken = Schema::compile(&schema, &mut Allowance::default()).is_ok();
        let peak = PEAK.load(Ordering::Relaxed) - before;
        let elapsed = began.elapsed();
        println!("{name}: {} KiB in {elapsed:?}, taken: {taken}", peak >> 10);
        assert!(peak < 24 << 20, "{name}: {peak} bytes");
        assert!(elapsed < Duration::from_secs(5), "{name}: {elapsed:?}");
    }
}
