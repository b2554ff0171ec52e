//! What every engine must say before it is measured.

use serde_json::json;

use crate::peer::Peer;

/// Calls with what is to be said of them, for so many policies. The last policy is the one that matters.
fn calls(policies: usize) -> Vec<(String, bool)> {
    let last = policies - 1;
    let most = 100 + last;
    let mut calls = Vec::new();
    let mut add = |host: String, path: String, command: String, limit: usize, permitted: bool| {
        let arguments = json!({"host": host, "path": path, "command": command, "limit": limit});
        calls.push((arguments.to_string(), permitted));
    };
    let host = format!("api.s{last:05}.example.com");
    let path = format!("/srv/s{last:05}/releases/7");
    let command = format!("deploy s{last:05} web blue");
    // Within the bound, at its ends, and beyond.
    for (limit, permitted) in [
        (42, true),
        (1, true),
        (most, true),
        (most + 1, false),
        (0, false),
        (100_000, false),
    ] {
        add(host.clone(), path.clone(), command.clone(), limit, permitted);
    }
    for (other, permitted) in [
        (format!("a.b.s{last:05}.example.com"), true),
        (format!("api.s{policies:05}.example.com"), false),
        (format!("s{last:05}.example.com"), false),
        (format!("api.xs{last:05}.example.com"), false),
        (format!("api.s{last:05}.example.com.evil.org"), false),
    ] {
        add(other, path.clone(), command.clone(), 42, permitted);
    }
    for (other, permitted) in [
        (format!("/srv/s{last:05}/a"), true),
        (format!("/srv/s{policies:05}/a"), false),
        (format!("/srv/s{last:05}x/a"), false),
        (format!("/x/srv/s{last:05}/a"), false),
    ] {
        add(host.clone(), other, command.clone(), 42, permitted);
    }
    for (other, permitted) in [
        (format!("deploy s{last:05} web"), true),
        (format!("deploy s{policies:05} web"), false),
        (format!("destroy s{last:05} web"), false),
        (format!("deploy s{last:05}x web"), false),
    ] {
        add(host.clone(), path.clone(), other, 42, permitted);
    }
    // The host of one policy with the path of another.
    if last > 0 {
        add(host, "/srv/s00000/a".to_owned(), command, 42, false);
    }
    calls
}

/// Panics where an engine says something else.
pub fn assert_agrees(name: &str, policies: usize, peer: &mut dyn Peer) {
    for (arguments, permitted) in calls(policies) {
        assert_eq!(
            peer.permits(&arguments),
            permitted,
            "{name} with {policies} policies: {arguments}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::assert_agrees;
    use crate::peer::PREPARED;

    #[test]
    fn every_engine_says_the_same() {
        for (name, prepare) in PREPARED {
            for policies in [1, 7, 200] {
                assert_agrees(name, policies, prepare(policies).as_mut());
            }
        }
    }
}
