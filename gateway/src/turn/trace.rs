//! W3C trace context: <https://www.w3.org/TR/trace-context/>.

/// Which trace a turn belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace: String,
}

impl TraceContext {
    /// Goes on with the caller's trace if `traceparent` names one, else begins a new one.
    pub fn from_parent(traceparent: Option<&str>) -> Self {
        let trace = traceparent
            .and_then(trace_of)
            .unwrap_or_else(|| uuid::Uuid::new_v4().simple().to_string());
        Self { trace }
    }

    /// 32 hex digits.
    pub fn id(&self) -> &str {
        &self.trace
    }

    /// The header for one step of the trace.
    pub fn traceparent(&self) -> String {
        let span = uuid::Uuid::new_v4().simple().to_string();
        format!(
            "00-{}-{}-01",
            self.trace,
            span.get(..16).unwrap_or("0000000000000001")
        )
    }
}

fn trace_of(traceparent: &str) -> Option<String> {
    let mut parts = traceparent.split('-');
    let (version, trace, span) = (parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length: usize| {
        text.len() == length
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let set = |text: &str| text.bytes().any(|byte| byte != b'0');
    (hex(version, 2) && version != "ff" && hex(trace, 32) && set(trace) && hex(span, 16) && set(span))
        .then(|| trace.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_trace_goes_on() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let trace = TraceContext::from_parent(Some(&format!("00-{id}-00f067aa0ba902b7-01")));
        assert_eq!(trace.id(), id);
        assert!(trace.traceparent().starts_with(&format!("00-{id}-")));
        assert_eq!(trace.traceparent().len(), 55);
    }

    #[test]
    fn anything_else_begins_a_new_one() {
        let zeros = format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32));
        for wrong in [
            "",
            "x",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            &zeros,
        ] {
            assert_eq!(trace_of(wrong), None, "{wrong}");
        }
        assert_eq!(TraceContext::from_parent(None).id().len(), 32);
    }
}
