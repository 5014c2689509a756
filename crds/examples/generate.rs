//! Writes the kinds' definitions to `crds/yaml/`. Run it after a change of a type: `cargo run -p crds
//! --example generate`.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("yaml");
    for (name, text) in crds::definitions()? {
        std::fs::write(folder.join(name), text)?;
    }
    Ok(())
}
