//! Compiles the protobuf contract without `protoc`.

use std::error::Error;
use std::path::PathBuf;

use protox::prost::Message as _;

const FILES: [&str; 5] = ["guardian", "policy", "runner", "chat", "ledger"];

/// Exported as JSON lines, and read back by the offline verifier.
const AUDIT_RECORD: &str = "monstrum.ledger.v1.AuditRecord";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let paths = FILES.map(|area| format!("proto/monstrum/{area}/v1/{area}.proto"));
    let descriptors = protox::compile(&paths, ["proto"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("monstrum.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .type_attribute(AUDIT_RECORD, "#[derive(serde::Serialize, serde::Deserialize)]")
        .type_attribute(
            AUDIT_RECORD,
            "#[serde(deny_unknown_fields, rename_all = \"camelCase\")]",
        )
        .compile_fds(descriptors)?;
    Ok(())
}
