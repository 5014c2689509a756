//! Generates the gRPC code from `proto/` with a Rust protobuf compiler, so that no `protoc` has to be
//! installed.

use std::error::Error;

const ROOT: &str = "proto";
const FILES: [&str; 4] = [
    "proto/vitrail/v1/store.proto",
    "proto/vitrail/v1/tablet.proto",
    "proto/vitrail/v1/leadership.proto",
    "proto/etcd/rpc.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    for file in FILES {
        println!("cargo:rerun-if-changed={file}");
    }
    let descriptors = protox::compile(FILES, [ROOT])?;
    tonic_prost_build::configure()
        .build_transport(false)
        .compile_fds(descriptors)?;
    Ok(())
}
