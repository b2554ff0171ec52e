//! Answers sent to the callback address, signed like the requests that came in.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, StatusCode, Url};
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Channel;
use super::address::{Guard, GuardedDns};
use super::config::Config;
use super::delivery::{Answer, Undelivered};
use super::signature;

/// Messages that may be under way at once; more are turned away.
const MOST: usize = 256;
const TIMEOUT: Duration = Duration::from_secs(15);
/// Pauses before an answer is sent again.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
];

/// Where callbacks go, if they go anywhere.
#[derive(Debug)]
pub(super) struct Callbacks {
    target: Option<(Client, Url)>,
    room: Arc<Semaphore>,
}

/// Why one attempt failed.
enum Failed {
    /// It may work later.
    Later(String),
    /// The receiver does not want it.
    Refused(StatusCode),
}

impl Callbacks {
    /// Checks the address once; names are checked again each time that they are resolved.
    pub(super) fn new(config: &Config) -> Result<Self, String> {
        let target = config
            .callback_url
            .as_deref()
            .map(|url| target(url, config))
            .transpose()?;
        Ok(Self {
            target,
            room: Arc::new(Semaphore::new(MOST)),
        })
    }

    /// A place for one message, unless too many are under way.
    pub(super) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).try_acquire_owned().ok()
    }
}

fn target(url: &str, config: &Config) -> Result<(Client, Url), String> {
    let url = Url::parse(url).map_err(|error| format!("callbackUrl: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
        return Err("callbackUrl: only http and https without user and password are taken".to_owned());
    }
    let host = url.host_str().ok_or("callbackUrl: has no host")?;
    let literal: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    let guard = Guard::new(host.trim_matches(['[', ']']), &config.allowed_addresses);
    // A literal address is connected to without asking a resolver.
    if literal.is_some_and(|address| !guard.permits(address)) {
        return Err(format!(
            "callbackUrl: {host} is not an address that may be reached"
        ));
    }
    let dns = GuardedDns::new(guard).map_err(|error| format!("name resolution: {error}"))?;
    let client = Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .dns_resolver(Arc::new(dns))
        .timeout(TIMEOUT)
        .pool_max_idle_per_host(1)
        .user_agent(concat!("monstrum/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| error.to_string())?;
    Ok((client, url))
}

impl Channel {
    /// Sends the answer to the message `id`, or why there is none. Given up after a minute.
    pub(super) async fn call_back(&self, id: &str, outcome: Result<Answer, Undelivered>) {
        let Some((client, url)) = &self.callbacks.target else {
            return;
        };
        let body = body(id, outcome).to_string();
        let mut pauses = PAUSES.into_iter();
        loop {
            let failed = match self.attempt(client, url, id, &body).await {
                Ok(()) => return self.metrics.callback("delivered"),
                Err(failed) => failed,
            };
            let pause = match (failed, pauses.next()) {
                (Failed::Later(reason), Some(pause)) => {
                    tracing::info!(id, error = %reason, "the callback failed; it is sent again");
                    pause
                }
                (Failed::Later(reason), None) => {
                    tracing::error!(id, error = %reason, "the callback was given up");
                    return self.metrics.callback("given_up");
                }
                (Failed::Refused(status), _) => {
                    tracing::error!(id, status = status.as_u16(), "the callback was refused");
                    return self.metrics.callback("refused");
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn attempt(&self, client: &Client, url: &Url, id: &str, body: &str) -> Result<(), Failed> {
        let keys = self.keys.current();
        let key = keys
            .first()
            .ok_or_else(|| Failed::Later("no signing secret".to_owned()))?;
        let id = format!("answer_{id}");
        // Each attempt is signed anew, like those that come in.
        let timestamp = jiff::Timestamp::now().as_second();
        let response = client
            .post(url.clone())
            .header("content-type", "application/json")
            .header(signature::ID, &id)
            .header(signature::TIMESTAMP, timestamp.to_string())
            .header(
                signature::SIGNATURE,
                signature::sign(key, &id, timestamp, body.as_bytes()),
            )
            .body(body.to_owned())
            .send()
            .await
            .map_err(|error| Failed::Later(error.without_url().to_string()))?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(Failed::Later(format!("status {}", status.as_u16())))
            }
            status => Err(Failed::Refused(status)),
        }
    }
}

fn body(id: &str, outcome: Result<Answer, Undelivered>) -> Value {
    match outcome {
        Ok(answer) => json!({ "inReplyTo": id, "session": answer.session, "text": answer.text }),
        Err(failure) => {
            json!({ "inReplyTo": id, "error": { "code": failure.code, "message": failure.message } })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn callbacks(url: &str) -> Result<Callbacks, String> {
        monstrum_service::install_crypto();
        let config: Config = serde_json::from_value(json!({
            "mode": "Callback", "callbackUrl": url, "toleranceSeconds": 300, "maxBodyBytes": 1000, "routes": []
        }))
        .unwrap();
        Callbacks::new(&config)
    }

    #[rstest]
    #[case::loopback("http://127.0.0.1/x")]
    #[case::loopback_decimal("http://2130706433/x")]
    #[case::loopback_octal("http://0177.0.0.1/x")]
    #[case::loopback_v6("http://[::1]/x")]
    #[case::mapped("http://[::ffff:127.0.0.1]/x")]
    #[case::metadata("http://169.254.169.254/latest")]
    #[case::credentials("https://user:pass@hooks.example.com/")]
    #[case::file("file:///etc/passwd")]
    #[case::nonsense("hooks")]
    fn such_an_address_is_refused_at_the_start(#[case] url: &str) {
        assert!(callbacks(url).is_err());
    }

    #[tokio::test]
    async fn a_public_name_that_leads_home_is_not_called() {
        let dns = GuardedDns::new(Guard::new("hooks.example.com", &[])).unwrap();
        // `localhost` needs no name server.
        let client = Client::builder()
            .no_proxy()
            .dns_resolver(Arc::new(dns))
            .build()
            .unwrap();
        let error = client.get("http://localhost:1/").send().await.unwrap_err();
        assert!(
            format!("{error:?}").contains("no address that may be reached"),
            "{error:?}"
        );
    }
}
