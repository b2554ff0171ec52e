//! The generated types, one module per protobuf package. Their documentation is in `proto/`.

macro_rules! package {
    ($name:ident, $package:literal) => {
        #[doc = concat!("`", $package, "`")]
        #[allow(
            missing_docs,
            clippy::pedantic,
            clippy::allow_attributes_without_reason,
            clippy::large_enum_variant,
            reason = "generated; documented in proto/"
        )]
        pub mod $name {
            tonic::include_proto!($package);
        }
    };
}

/// The whole contract as a serialised `google.protobuf.FileDescriptorSet`: what there is to call, for those who look at all of it.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/monstrum.bin"));

package!(guardian, "monstrum.guardian.v1");
package!(policy, "monstrum.policy.v1");
package!(runner, "monstrum.runner.v1");
package!(chat, "monstrum.chat.v1");
package!(ledger, "monstrum.ledger.v1");
