//! The Guardian of the gateway that sent a call.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use monstrum_service::Channel;
use monstrum_wire::guardian::guardian_client::GuardianClient;
use monstrum_wire::guardian::{CheckEffectRequest, CheckResponse, Verdict};
use serde_json::Value;

use crate::call::{Failure, Judge};

/// Asks over the link's connection.
#[derive(Debug)]
pub(super) struct Guardian(GuardianClient<Channel>);

impl Guardian {
    pub(super) fn new(channel: Channel) -> Self {
        Self(GuardianClient::new(channel))
    }
}

impl Judge for Guardian {
    fn judge<'a>(
        &'a self,
        running: &'a str,
        tool: &'a str,
        arguments: &'a Value,
    ) -> BoxFuture<'a, Result<Value, Failure>> {
        let mut client = self.0.clone();
        let request = CheckEffectRequest {
            call_id: running.to_owned(),
            tool: tool.to_owned(),
            arguments_json: arguments.to_string(),
        };
        async move {
            let answer = client.check_effect(request).await.map_err(|status| {
                Failure::refused(format!("the Guardian could not be asked: {}", status.message()))
            })?;
            permitted(&answer.into_inner())
        }
        .boxed()
    }
}

/// Everything but a plain yes is a no: nobody can be asked for an approval in the middle of a call.
fn permitted(answer: &CheckResponse) -> Result<Value, Failure> {
    if answer.verdict() != Verdict::Allow {
        return Err(Failure::refused("no grant permits it"));
    }
    serde_json::from_str(&answer.canonical_arguments_json)
        .map_err(|_| Failure::refused("the Guardian's answer can't be read"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn answer(verdict: Verdict, arguments: &str) -> Result<Value, Failure> {
        permitted(&CheckResponse {
            verdict: verdict.into(),
            canonical_arguments_json: arguments.to_owned(),
            ..CheckResponse::default()
        })
    }

    #[test]
    fn a_yes_carries_the_arguments() {
        assert_eq!(answer(Verdict::Allow, r#"{"a":1}"#).unwrap(), json!({ "a": 1 }));
    }

    #[rstest]
    #[case(Verdict::Deny)]
    #[case(Verdict::NeedsApproval)]
    #[case(Verdict::Unspecified)]
    fn everything_else_is_a_no(#[case] verdict: Verdict) {
        answer(verdict, "{}").unwrap_err();
    }

    #[test]
    fn a_yes_that_cannot_be_read_is_a_no() {
        answer(Verdict::Allow, "").unwrap_err();
    }
}
