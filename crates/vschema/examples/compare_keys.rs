//! Compares the keys of unicode_loose_xxhash with any number of texts whose keys the reference has made:
//! `cd tools/weights && go run . golden SEED COUNT | cargo run -p vschema --example compare_keys`

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead as _, Write as _};

use vschema::vindex::{Mapped, Vindex, VindexKind, VindexValue, local_file};
use xxhash_rust::xxh64::xxh64;

fn main() -> Result<(), Box<dyn Error>> {
    let kind = VindexKind::from_name("unicode_loose_xxhash").ok_or("no such vindex")?;
    let (vindex, _) = Vindex::new("loose", kind, &BTreeMap::new(), &local_file)?;
    let (mut compared, mut padded) = (0_u64, 0_u64);
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (text, key) = line.split_once(' ').ok_or("a line without a key")?;
        let (text, key) = (hex::decode(text)?, hex::decode(key)?);
        // The vindex leaves spaces at the end out, the reference's key does not.
        if text.ends_with(b" ") {
            padded += 1;
            continue;
        }
        let id = xxh64(&key, 0).to_le_bytes();
        match vindex.map(&[VindexValue::Bytes(&text)]) {
            Mapped::KeyspaceId(mapped) if mapped.as_bytes() == id => compared += 1,
            mapped => {
                let text = String::from_utf8_lossy(&text).escape_unicode().to_string();
                return Err(format!("{text}: {mapped:?} instead of {}", hex::encode(id)).into());
            }
        }
    }
    writeln!(
        std::io::stdout(),
        "{compared} keys are the same, {padded} texts end with spaces"
    )?;
    Ok(())
}
