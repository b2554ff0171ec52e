//! What Argo CD is told of every kind.

use std::fmt::Write as _;

use super::MARK;

const SCRIPT: &str = include_str!("../../../manifests/argocd/health.lua");

/// A patch of Argo CD's settings, with the health script for each of `kinds`.
pub(super) fn settings(kinds: &[String]) -> anyhow::Result<String> {
    let mut text = format!("# {MARK} from health.lua. Change that instead.\ndata:\n");
    for kind in kinds {
        writeln!(text, "  resource.customizations.health.monstrum.dev_{kind}: |")?;
        for line in SCRIPT.lines() {
            let indent = if line.is_empty() { "" } else { "    " };
            writeln!(text, "{indent}{line}")?;
        }
    }
    Ok(text)
}
