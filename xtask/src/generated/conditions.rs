//! The reference page of conditions and their reasons.

use std::fmt::Write as _;

use monstrum_crds::conditions::{GRACE, Outlook, Reason};

use super::MARK;

const HEAD: &str = "\
# Conditions

Every object of ours has a status: `observedGeneration`, and conditions with a reason and a sentence that names the object, the
field and the remedy. `kubectl get` shows `Ready` and its reason, which is the *cause*: the first step that fails, or what is wrong
with the object at the end of the chain. A Bot whose ModelProvider's Credential names a Secret that is not there says
`SecretNotFound`, as the ModelProvider and the Credential do.

| condition | says | there |
| --- | --- | --- |
| `Accepted` | the object itself is right | once the operator has seen the object |
| `ResolvedRefs` | everything that it names exists and can be used | the same |
| `Programmed` | what follows from it is in place | the same |
| `Ready` | it does what it says; for a Bot, its gateways enforce its current policy | always |
| `Reconciling` | it is not ready, and that may pass by itself | only while true |
| `Stalled` | it is not ready, and stays so until somebody acts | only while true |

## For machines

`status` follows [kstatus](https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus), which Flux, kpt and others wait with:

| state | kstatus |
| --- | --- |
| not seen by the operator: `Ready: Unknown`, `Pending`, `observedGeneration: -1` (from the definition's default) | InProgress |
| changed and not seen since: `observedGeneration` is not `metadata.generation` | InProgress |
| `Reconciling` | InProgress |
| `Stalled` | Failed |
| `Ready: True` | Current |
| `Ready: False`, `Suspended` | InProgress: nothing is awaited, and nothing has failed. Leave suspended Bots out of what you wait for |
";

/// The page, in Markdown.
pub(super) fn page() -> anyhow::Result<String> {
    let mut page = format!("<!-- {MARK}. Change crds/src/conditions/reason.rs instead. -->\n\n{HEAD}");
    let grace = GRACE.as_secs();
    writeln!(
        page,
        "\nWhat an object lacks may come in a moment, as when a folder is applied in any order: where the table says *{grace} s*, the \
         object is `Reconciling` for that long and `Stalled` then.\n\n## Reasons\n"
    )?;
    writeln!(
        page,
        "| reason | says | what to do | stalled |\n| --- | --- | --- | --- |"
    )?;
    for reason in Reason::ALL {
        let stalled = match reason.outlook() {
            Outlook::Fine | Outlook::Paused | Outlook::Coming => "no".to_owned(),
            Outlook::Blocked => format!("after {grace} s"),
            Outlook::Stuck => "at once".to_owned(),
        };
        writeln!(
            page,
            "| `{}` | {} | {} | {stalled} |",
            reason.as_str(),
            reason.meaning(),
            reason.remedy()
        )?;
    }
    Ok(page)
}
