//! What an instance reaches on the network.

use ipnet::IpNet;

/// Everything that calls of an instance connect to. Pods may connect nowhere else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Places that the settings name.
    pub places: Vec<Place>,
    /// Ports of the internet, where which hosts are reached is not in the settings.
    pub internet: Option<Ports>,
}

/// A place that the settings name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where it is.
    pub target: Address,
    /// What the connection goes through: then a pod connects to this one only. It may read what passes.
    pub proxy: Option<Address>,
}

/// An address, and the fields of the settings that say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The field of the URL, for example `baseUrl`.
    pub field: String,
    /// Scheme, host and port.
    pub url: String,
    /// The field of the ranges, for example `allowedAddresses`.
    pub ranges_field: String,
    /// The ranges that may be reached for it although they are not the internet.
    pub ranges: Vec<IpNet>,
}

/// Ports, and the field of the settings that says them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports {
    /// The field, for example `network.tcpConnectPorts`.
    pub field: &'static str,
    /// TCP ports.
    pub numbers: Vec<u16>,
}

impl Reach {
    /// The ports of the internet.
    pub fn ports(&self) -> &[u16] {
        self.internet.as_ref().map_or(&[], |ports| &ports.numbers)
    }

    /// Every address that is named: targets and proxies.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.places
            .iter()
            .flat_map(|place| std::iter::once(&place.target).chain(&place.proxy))
    }
}

impl Place {
    /// What a pod connects to.
    pub fn dialled(&self) -> &Address {
        self.proxy.as_ref().unwrap_or(&self.target)
    }
}
