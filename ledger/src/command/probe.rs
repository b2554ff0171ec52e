//! Asks an installation's processes whether they are there: what `helm test` runs, from an image that has no shell.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// Flags of `probe`.
#[derive(Debug, clap::Args)]
pub(super) struct ProbeArgs {
    /// An admin port, as `host:port`, whose process must be ready.
    #[arg(long)]
    ready: Vec<String>,
    /// A port, as `host:port`, that must accept connections.
    #[arg(long)]
    accepts: Vec<String>,
    /// How many seconds to go on asking.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
}

/// What does not answer as it should.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProbeError {
    /// There is no connection, or it broke.
    #[error("{address} can't be reached")]
    Unreachable {
        /// Where.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It says that it isn't ready.
    #[error("{address} is not ready: {answer}")]
    NotReady {
        /// Who.
        address: String,
        /// The answer.
        answer: String,
    },
}

/// Asks each of them until it answers or the time is over.
pub(super) fn probe(args: &ProbeArgs) -> Result<(), ProbeError> {
    let deadline = Instant::now().checked_add(Duration::from_secs(args.seconds));
    for address in &args.ready {
        until(deadline, || ready(address))?;
        println!("{address} is ready");
    }
    for address in &args.accepts {
        until(deadline, || connect(address).map(drop))?;
        println!("{address} accepts connections");
    }
    Ok(())
}

fn until(deadline: Option<Instant>, ask: impl Fn() -> Result<(), ProbeError>) -> Result<(), ProbeError> {
    loop {
        let answer = ask();
        if answer.is_ok() || deadline.is_none_or(|deadline| Instant::now() >= deadline) {
            return answer;
        }
        std::thread::sleep(PAUSE);
    }
}

/// The first address of a name that accepts.
fn connect(address: &str) -> Result<TcpStream, ProbeError> {
    let unreachable = |source| ProbeError::Unreachable {
        address: address.to_owned(),
        source,
    };
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for place in address.to_socket_addrs().map_err(unreachable)? {
        match TcpStream::connect_timeout(&place, PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(unreachable(last))
}

fn ready(address: &str) -> Result<(), ProbeError> {
    let mut stream = connect(address)?;
    let answer = ask(&mut stream, address).map_err(|source| ProbeError::Unreachable {
        address: address.to_owned(),
        source,
    })?;
    if answer.starts_with("HTTP/1.1 200 ") {
        return Ok(());
    }
    Err(ProbeError::NotReady {
        address: address.to_owned(),
        answer: answer.lines().last().unwrap_or_default().to_owned(),
    })
}

fn ask(stream: &mut TcpStream, host: &str) -> io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /readyz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::net::TcpListener;

    /// Answers one request.
    fn server(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            drop(stream.read(&mut [0; 1024]));
            stream.write_all(answer.as_bytes()).unwrap();
        });
        address
    }

    fn asked(address: &str) -> ProbeArgs {
        ProbeArgs {
            ready: vec![address.to_owned()],
            accepts: Vec::new(),
            seconds: 0,
        }
    }

    #[rstest]
    #[case::ready("HTTP/1.1 200 OK\r\n\r\nready\n", true)]
    #[case::not_ready("HTTP/1.1 503 Service Unavailable\r\n\r\nnot ready: no policy\n", false)]
    #[case::something_else("SSH-2.0-x\r\n", false)]
    fn what_is_not_ready_is_told(#[case] answer: &'static str, #[case] expected: bool) {
        let outcome = probe(&asked(&server(answer)));
        assert_eq!(outcome.is_ok(), expected, "{outcome:?}");
    }

    #[test]
    fn what_is_not_there_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let told = probe(&asked(&address)).unwrap_err().to_string();
        assert!(told.contains(&address), "{told}");
    }
}
