//! Where an etcd is, and which of its keys are Vitrail's.

use std::fmt;
use std::str::FromStr;

use crate::address::Address;
use crate::keys;

/// What an address of an etcd begins with.
pub(crate) const SCHEME: &str = "etcd:";

/// Folder of the keys where the address names none.
const FOLDER: &str = "vitrail";

/// Written `etcd:HOST:PORT[,HOST:PORT...][/FOLDER]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtcdAddress {
    /// Members of the cluster; one or more, each [`Address::Tcp`].
    members: Vec<Address>,
    /// Without slashes around it.
    folder: String,
}

/// A text that is no address of an etcd.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no address of an etcd: {why}; expected etcd:HOST:PORT[,HOST:PORT...][/FOLDER]")]
pub struct EtcdAddressError {
    text: String,
    why: String,
}

impl EtcdAddress {
    pub(super) fn members(&self) -> &[Address] {
        &self.members
    }

    /// What all keys of the store begin with.
    pub(super) fn prefix(&self) -> String {
        format!("/{}/", self.folder)
    }
}

impl FromStr for EtcdAddress {
    type Err = EtcdAddressError;

    fn from_str(text: &str) -> Result<Self, EtcdAddressError> {
        let error = |why: String| EtcdAddressError {
            text: text.to_owned(),
            why,
        };
        let rest = text
            .strip_prefix(SCHEME)
            .ok_or_else(|| error(format!("it does not begin with {SCHEME}")))?;
        let (members, folder) = rest.split_once('/').unwrap_or((rest, FOLDER));
        keys::check(folder).map_err(|why| error(why.to_string()))?;
        let parse = |member: &str| match member.parse() {
            Ok(address @ Address::Tcp(..)) => Ok(address),
            _ => Err(error(format!("\"{member}\" is no HOST:PORT"))),
        };
        Ok(Self {
            members: members.split(',').map(parse).collect::<Result<_, _>>()?,
            folder: folder.to_owned(),
        })
    }
}

impl fmt::Display for EtcdAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<String> = self.members.iter().map(ToString::to_string).collect();
        write!(f, "{SCHEME}{}/{}", members.join(","), self.folder)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        for text in ["etcd:127.0.0.1:2379/vitrail", "etcd:a:1,[::1]:2,b.c:3/x/y-z"] {
            assert_eq!(text.parse::<EtcdAddress>().unwrap().to_string(), text);
        }
        let plain: EtcdAddress = "etcd:localhost:2379".parse().unwrap();
        assert_eq!(plain.prefix(), "/vitrail/");
        for text in [
            "",
            "etcd:",
            "etcd:2379",
            "etcd:a",
            "etcd:a:1,",
            "etcd:,a:1",
            "etcd:unix:a",
            "etcd:a:1/",
            "etcd:a:1//x",
            "etcd:a:1/x/",
            "etcd:a:1/x y",
            "etcd:http://a:1",
            "a:1",
        ] {
            assert!(text.parse::<EtcdAddress>().is_err(), "{text}");
        }
        let error = "etcd:2379".parse::<EtcdAddress>().unwrap_err().to_string();
        assert_eq!(
            error,
            "\"etcd:2379\" is no address of an etcd: \"2379\" is no HOST:PORT; expected \
             etcd:HOST:PORT[,HOST:PORT...][/FOLDER]"
        );
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_round_trips(text in "etcd:.{0,40}") {
            if let Ok(address) = text.parse::<EtcdAddress>() {
                prop_assert_eq!(address.to_string().parse::<EtcdAddress>().unwrap(), address);
            }
        }
    }
}
