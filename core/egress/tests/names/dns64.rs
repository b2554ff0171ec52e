//! A name server of a network without IPv4, which makes IPv6 addresses of IPv4 ones.

use std::net::Ipv6Addr;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::LookupIpStrategy;
use tokio::net::UdpSocket;

use super::dns::resolver;

/// What it says of a name that it does not know.
#[derive(Clone, Copy)]
pub(crate) enum Otherwise {
    NoSuchName = 3,
    Failure = 2,
}

/// A resolver that asks a server which has these names, each at one address, and answers for others so.
pub(crate) async fn resolver_of(names: Vec<(&'static str, Ipv6Addr)>, otherwise: Otherwise) -> TokioResolver {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut packet = [0_u8; 512];
        loop {
            let (length, from) = socket.recv_from(&mut packet).await.unwrap();
            let answer = reply(&packet[..length], &names, otherwise);
            socket.send_to(&answer, from).await.unwrap();
        }
    });
    resolver(port, LookupIpStrategy::Ipv4AndIpv6)
}

/// RFC 1035 and RFC 3596: the question repeated, and one record where it is about IPv6.
fn reply(question: &[u8], names: &[(&str, Ipv6Addr)], otherwise: Otherwise) -> Vec<u8> {
    let (header, asked) = question.split_at(12);
    let end = asked.iter().position(|byte| *byte == 0).unwrap();
    let name: String = asked[..end]
        .iter()
        .map(|byte| if *byte < b' ' { '.' } else { char::from(*byte) })
        .collect();
    let known = names.iter().find(|(known, _)| name.trim_matches('.') == *known);
    let six = asked[end.saturating_add(2)] == 28;
    let code = if known.is_some() { 0 } else { otherwise as u8 };
    let count = u8::from(six && known.is_some());
    let mut reply = header[..2].to_vec();
    reply.extend([0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0]);
    reply.extend(&asked[..end.saturating_add(5)]);
    if let Some((_, address)) = known.filter(|_| six) {
        reply.extend([0xc0, 12, 0, 28, 0, 1, 0, 0, 0, 0, 0, 16]);
        reply.extend(address.octets());
    }
    reply
}
