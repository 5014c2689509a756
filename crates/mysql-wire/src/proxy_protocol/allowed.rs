//! Which peers may send a PROXY header.

use std::net::IpAddr;

/// A list of networks whose hosts may speak for others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedPeers {
    networks: Vec<Network>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

/// Why an entry of the list is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// The address part is neither IPv4 nor IPv6.
    #[error("'{entry}' is not an IP address or network such as 10.0.0.0/8 or fd00::/8")]
    Address {
        /// The entry as given.
        entry: String,
    },
    /// The prefix is no number or longer than the address.
    #[error("'{entry}': the prefix length must be a number up to {bits_max}")]
    Prefix {
        /// The entry as given.
        entry: String,
        /// 32 or 128.
        bits_max: u8,
    },
    /// Bits behind the prefix are set: most likely a typing error.
    #[error("'{entry}': the address has bits set beyond its prefix")]
    HostBits {
        /// The entry as given.
        entry: String,
    },
}

impl AllowedPeers {
    /// Parses a comma separated list of addresses and networks, such as `10.0.0.0/8, ::1`. An empty text allows
    /// nobody, `0.0.0.0/0, ::/0` everybody.
    ///
    /// # Errors
    /// [`NetworkError`] names the first entry that is wrong.
    pub fn parse(list: &str) -> Result<Self, NetworkError> {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        Ok(Self {
            networks: entries.map(Network::parse).collect::<Result<_, _>>()?,
        })
    }

    /// Whether nobody is allowed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    /// Whether the peer at `address` may send a PROXY header. An IPv4 peer of an IPv6 socket (`::ffff:1.2.3.4`)
    /// counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(address))
    }
}

impl Network {
    fn parse(entry: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = entry.split_once('/').map_or((entry, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Address {
            entry: entry.to_owned(),
        })?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match prefix {
            None => bits_max,
            Some(text) => text
                .parse()
                .ok()
                .filter(|bits| *bits <= bits_max)
                .ok_or_else(|| NetworkError::Prefix {
                    entry: entry.to_owned(),
                    bits_max,
                })?,
        };
        if address_bits(address) != leading(address_bits(address), prefix_bits, bits_max) {
            return Err(NetworkError::HostBits {
                entry: entry.to_owned(),
            });
        }
        Ok(Self { address, prefix_bits })
    }

    fn contains(&self, address: IpAddr) -> bool {
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        self.address.is_ipv4() == address.is_ipv4()
            && address_bits(self.address) == leading(address_bits(address), self.prefix_bits, bits_max)
    }
}

fn address_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// `bits` with all but the first `keep` of `width` bits cleared.
fn leading(bits: u128, keep: u8, width: u8) -> u128 {
    let clear = u32::from(width - keep.min(width));
    let mask = u128::MAX.checked_shl(clear).unwrap_or(0);
    bits & mask
}
