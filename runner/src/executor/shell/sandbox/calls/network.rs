//! Sockets: within the sandbox always, TCP where ports are granted (Landlock checks which), nothing else.

use seccompiler::BackendError;

use super::{Rules, all, has_bits, is_not};

const UNIX: u32 = libc::AF_UNIX.unsigned_abs();
const INET: u32 = libc::AF_INET.unsigned_abs();
const INET6: u32 = libc::AF_INET6.unsigned_abs();
const STREAM: u32 = libc::SOCK_STREAM.unsigned_abs();
const TCP: u32 = libc::IPPROTO_TCP.unsigned_abs();
/// Where a socket's type is in its argument; the rest are flags.
const TYPE_MASK: u32 = 0xf;
/// Connects while sending, past Landlock's check of connect.
const FAST_OPEN: u32 = libc::MSG_FASTOPEN.unsigned_abs();

/// What is refused, with TCP or without any network.
pub(super) fn rules(tcp: bool) -> Result<Rules, BackendError> {
    let mut rules = Rules::new();
    rules.insert(libc::SYS_socketpair, vec![all(vec![is_not(0, UNIX)?])?]);
    if !tcp {
        rules.insert(libc::SYS_socket, vec![all(vec![is_not(0, UNIX)?])?]);
        return Ok(rules);
    }
    let mut socket = vec![
        all(vec![is_not(0, UNIX)?, is_not(0, INET)?, is_not(0, INET6)?])?,
        // Other protocols of the same type (MPTCP, SCTP) are not seen by Landlock.
        all(vec![is_not(0, UNIX)?, is_not(2, 0)?, is_not(2, TCP)?])?,
    ];
    for kind in (0..=TYPE_MASK).filter(|&kind| kind != STREAM) {
        socket.push(all(vec![is_not(0, UNIX)?, has_bits(1, TYPE_MASK, kind)?])?);
    }
    rules.insert(libc::SYS_socket, socket);
    // A TCP socket that was never bound can listen past Landlock's check of bind.
    rules.insert(libc::SYS_listen, Vec::new());
    for (call, flags) in [
        (libc::SYS_sendto, 3),
        (libc::SYS_sendmsg, 2),
        (libc::SYS_sendmmsg, 3),
    ] {
        rules.insert(call, vec![all(vec![has_bits(flags, FAST_OPEN, FAST_OPEN)?])?]);
    }
    Ok(rules)
}
