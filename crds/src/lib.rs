//! The objects that users write, in Rust, and the manifests that they are read from.
//!
//! The types are Kubernetes custom resources of the group `vitrail.io`; the YAML that a cluster needs is
//! generated from them into `yaml/` (`cargo run -p crds --example generate`). `vitrail local` reads the same
//! manifests with [`manifest::load`], so one rule holds on both ways: the schema is checked as the API server
//! does it, and what a schema cannot say by [`Keyspace::resolve`].

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests fail by panicking"
    )
)]

pub mod keyspace;
pub mod manifest;
pub mod problem;
mod schema;

pub use keyspace::{Keyspace, KeyspaceSpec, ResolvedKeyspace, Storage};
pub use manifest::{ManifestError, Object};
pub use problem::Problem;

/// Group and version of every kind.
pub const API_VERSION: &str = "vitrail.io/v1alpha1";

/// The YAML of the kinds' definitions, by file name: what `yaml/` holds.
///
/// # Errors
/// When a definition cannot be written as YAML, which would be a mistake in this crate.
pub fn definitions() -> Result<Vec<(&'static str, String)>, serde_saphyr::ser_error::Error> {
    use kube::CustomResourceExt;
    Ok(vec![(
        "keyspaces.yaml",
        serde_saphyr::to_string(&Keyspace::crd())?,
    )])
}
