//! The schemas' own rules, against the real API server: for each an object that it accepts and one that it refuses.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use monstrum_e2e::harness::Workspace;

fn cases() -> Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crds/tests/cases");
    let mut files = Vec::new();
    for kind in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let kind = kind?.path();
        if kind.is_dir() {
            files.extend(
                std::fs::read_dir(kind)?
                    .collect::<Result<Vec<_>, _>>()?
                    .into_iter()
                    .map(|entry| entry.path()),
            );
        }
    }
    files.sort();
    Ok(files)
}

#[tokio::test]
async fn the_api_server_accepts_and_refuses_what_the_schemas_say() -> Result<()> {
    let workspace = Workspace::create("rules").await?;
    let cases = cases()?;
    assert!(cases.len() > 10, "only {} cases were found", cases.len());
    for case in &cases {
        let yaml = std::fs::read_to_string(case)?;
        let name = case.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("accepted-") {
            workspace
                .apply(&yaml)
                .await
                .with_context(|| case.display().to_string())?;
        } else {
            let expected = yaml
                .lines()
                .find_map(|line| line.strip_prefix("# expect: "))
                .unwrap_or("invalid");
            let told = workspace
                .cluster()
                .apply_refused(workspace.name(), &yaml)
                .await
                .with_context(|| case.display().to_string())?;
            assert!(
                told.contains(expected.trim()),
                "{}: {expected:?} is not in {told}",
                case.display()
            );
        }
    }
    workspace.remove().await
}
