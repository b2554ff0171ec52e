//! Answers sent to the callback address, signed like the requests that came in.

use std::sync::Arc;
use std::time::Duration;

use monstrum_egress::{Access, Egress};
use reqwest::{StatusCode, Url};
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Config;
use crate::delivery::{Answer, Undelivered};
use crate::server::Channel;
use crate::signature;

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
pub(crate) struct Callbacks {
    target: Option<Target>,
    room: Arc<Semaphore>,
}

#[derive(Debug)]
struct Target {
    egress: Egress,
    url: Url,
    access: Access,
}

/// Why one attempt failed.
enum Failed {
    /// It may work later.
    Later(String),
    /// It will not.
    Refused(StatusCode),
}

impl Callbacks {
    /// Reads the settings; addresses are judged each time that one is called.
    pub(crate) fn new(egress: Egress, config: &Config) -> Result<Self, String> {
        let target = match config.callback_url.as_deref() {
            None => None,
            Some(url) => Some(target(egress, url, config)?),
        };
        Ok(Self {
            target,
            room: Arc::new(Semaphore::new(MOST)),
        })
    }

    /// A place for one message, unless too many are under way.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).try_acquire_owned().ok()
    }
}

fn target(egress: Egress, url: &str, config: &Config) -> Result<Target, String> {
    let url = Url::parse(url).map_err(|error| format!("callbackUrl: {error}"))?;
    let access = config.access()?;
    egress
        .check(&url, &access)
        .map_err(|error| format!("callbackUrl: {error}"))?;
    Ok(Target { egress, url, access })
}

impl Channel {
    /// Sends the answer to the message `id`, or why there is none. Given up after a minute.
    pub(crate) async fn call_back(&self, id: &str, outcome: Result<Answer, Undelivered>) {
        let Some(target) = &self.callbacks.target else {
            return;
        };
        let body = body(id, outcome).to_string();
        let mut pauses = PAUSES.into_iter();
        loop {
            let failed = match self.attempt(target, id, &body).await {
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

    async fn attempt(&self, target: &Target, id: &str, body: &str) -> Result<(), Failed> {
        let keys = self.keys.current();
        let key = keys
            .first()
            .ok_or_else(|| Failed::Later("no signing secret".to_owned()))?;
        let id = format!("answer_{id}");
        // Each attempt is signed anew, like those that come in.
        let timestamp = jiff::Timestamp::now().as_second();
        let client = target.egress.client(&target.url, &target.access).await;
        let client = client.map_err(|error| Failed::Later(error.to_string()))?;
        let response = client
            .post(target.url.clone())
            .timeout(TIMEOUT)
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
            // Nothing is ever wanted there again (Standard Webhooks), or only elsewhere.
            status if status == StatusCode::GONE || status.is_redirection() => Err(Failed::Refused(status)),
            // A route that is not there yet, a secret that is being rotated: an answer is not lost for that.
            status => Err(Failed::Later(format!("status {}", status.as_u16()))),
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

    fn callbacks(url: &str, more: &Value) -> Result<Callbacks, String> {
        let mut settings = json!({
            "mode": "Callback", "callbackUrl": url, "toleranceSeconds": 300, "maxBodyBytes": 1000, "routes": []
        });
        settings
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let config: Config = serde_json::from_value(settings).unwrap();
        Callbacks::new(Egress::new(), &config)
    }

    #[rstest]
    #[case::loopback("http://127.0.0.1/x")]
    #[case::loopback_decimal("http://2130706433/x")]
    #[case::loopback_octal("http://0177.0.0.1/x")]
    #[case::loopback_v6("http://[::1]/x")]
    #[case::mapped("http://[::ffff:127.0.0.1]/x")]
    #[case::metadata("http://169.254.169.254/latest")]
    #[case::cloud_host("http://168.63.129.16/machine")]
    #[case::cloud_host_hexadecimal("http://0xa83f8110/machine")]
    #[case::credentials("https://user:pass@hooks.example.com/")]
    #[case::file("file:///etc/passwd")]
    #[case::nonsense("hooks")]
    fn such_an_address_is_refused_at_the_start(#[case] url: &str) {
        for more in [json!({}), json!({ "allowedAddresses": ["0.0.0.0/0", "::/0"] })] {
            assert!(callbacks(url, &more).is_err(), "{more}");
        }
    }

    #[rstest]
    #[case::public("https://hooks.example.com/", json!({}))]
    #[case::private("http://10.1.2.3/", json!({ "allowedAddresses": ["10.1.2.3/32"] }))]
    #[case::proxied("https://hooks.example.com/", json!({ "proxy": { "url": "http://10.20.0.5:3128", "allowedAddresses": ["10.20.0.0/16"] } }))]
    fn such_a_one_is_taken(#[case] url: &str, #[case] more: Value) {
        callbacks(url, &more).unwrap();
    }

    #[rstest]
    #[case::not_named(json!({ "url": "http://10.20.0.5:3128" }))]
    #[case::loopback(json!({ "url": "http://127.0.0.1:3128", "allowedAddresses": ["127.0.0.0/8"] }))]
    #[case::secret(json!({ "url": "http://user:pass@proxy.example:3128" }))]
    fn such_a_proxy_is_refused_at_the_start(#[case] proxy: Value) {
        assert!(callbacks("https://hooks.example.com/", &json!({ "proxy": proxy })).is_err());
    }
}
