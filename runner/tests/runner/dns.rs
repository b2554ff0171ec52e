//! A name server that answers each question with the next of its answers.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use tokio::net::UdpSocket;

/// A running name server.
pub(crate) struct NameServer {
    pub(crate) resolver: TokioResolver,
    asked: Arc<AtomicUsize>,
}

impl NameServer {
    /// The nth question gets the nth list of addresses, the last list from then on; nothing may be kept.
    pub(crate) async fn start(answers: Vec<Vec<Ipv4Addr>>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut packet = [0_u8; 512];
            loop {
                let (length, from) = socket.recv_from(&mut packet).await.unwrap();
                let number = counter
                    .fetch_add(1, Ordering::SeqCst)
                    .min(answers.len().saturating_sub(1));
                socket
                    .send_to(&reply(&packet[..length], &answers[number]), from)
                    .await
                    .unwrap();
            }
        });
        Self {
            resolver: resolver(port, LookupIpStrategy::Ipv4Only),
            asked,
        }
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

pub(crate) fn resolver(port: u16, strategy: LookupIpStrategy) -> TokioResolver {
    let mut connection = ConnectionConfig::udp();
    connection.port = port;
    let mut server = NameServerConfig::udp(IpAddr::V4(Ipv4Addr::LOCALHOST));
    server.connections = vec![connection];
    let config = ResolverConfig::from_parts(None, vec![], vec![server]);
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    builder.options_mut().ip_strategy = strategy;
    builder.options_mut().cache_size = 0;
    builder.build().unwrap()
}

/// RFC 1035: the question repeated, then one record for each address, each of them to be forgotten at once.
fn reply(question: &[u8], addresses: &[Ipv4Addr]) -> Vec<u8> {
    let (header, asked) = question.split_at(12);
    // A name ends with an empty label; type and class follow.
    let end = asked
        .iter()
        .position(|byte| *byte == 0)
        .unwrap()
        .saturating_add(5);
    let mut reply = header[..2].to_vec();
    reply.extend([
        0x81,
        0x80,
        0,
        1,
        0,
        u8::try_from(addresses.len()).unwrap(),
        0,
        0,
        0,
        0,
    ]);
    reply.extend(&asked[..end]);
    for address in addresses {
        reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
        reply.extend(address.octets());
    }
    reply
}
