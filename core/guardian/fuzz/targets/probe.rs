#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| { let _ = monstrum_guardian::document::Document::from_bytes(data); });
