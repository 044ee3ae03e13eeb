//! The words of the engine: what a decoded message is made of, whatever its protocol.

use std::fmt;
use std::net::SocketAddr;
use std::ops::Range;

use crate::net::link::Station;

/// Declares a closed vocabulary once: the enum, its wire-independent names, and the list of all of them.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $(#[doc = $text] $(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every member, in declaration order (the index is `self as usize`).
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The name used in tables, rules and results.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { f.write_str(self.name()) }
        }
    };
}

pub(crate) use vocabulary;

vocabulary! {
    /// The protocols that are decoded: first those of control systems, whose messages become OT events; then the
    /// services beside them, of which what they say of hosts, users and names becomes activities and claims.
    Protocol {
        Modbus = "modbus", Dnp3 = "dnp3", Bacnet = "bacnet", Profibus = "profibus", S7comm = "s7comm", Opcua = "opcua",
        Dns = "dns", Mdns = "mdns", Llmnr = "llmnr", NetbiosNs = "netbios-ns", NetbiosDgm = "netbios-dgm",
        Dhcp = "dhcp", Dhcpv6 = "dhcpv6", Ssdp = "ssdp", WsDiscovery = "ws-discovery",
        Tls = "tls", Dtls = "dtls", Quic = "quic", Ssh = "ssh", Wireguard = "wireguard", Openvpn = "openvpn",
        Isakmp = "isakmp", Esp = "esp", Ah = "ah", L2tp = "l2tp", Pptp = "pptp", Socks = "socks", RdpUdp = "rdpeudp",
        Http = "http", Winrm = "winrm", Ftp = "ftp", Tftp = "tftp", Telnet = "telnet", Smtp = "smtp", Pop3 = "pop3",
        Rlogin = "rlogin", Rsh = "rsh",
        Imap = "imap", Vnc = "vnc", Rdp = "rdp", Teamviewer = "teamviewer",
        Rustdesk = "rustdesk", Radmin = "radmin",
        Smb = "smb", DceRpc = "dce-rpc", Kerberos = "kerberos", Ldap = "ldap", Cldap = "cldap",
        Snmp = "snmp", Ntp = "ntp", Syslog = "syslog", Mqtt = "mqtt", Mssql = "mssql", Mysql = "mysql",
        Postgresql = "postgresql", Radius = "radius", Sip = "sip", Rtsp = "rtsp",
        Arp = "arp", Icmp = "icmp", Icmpv6 = "icmpv6", Igmp = "igmp", Vrrp = "vrrp", Hsrp = "hsrp",
        Lldp = "lldp", Cdp = "cdp", Stp = "stp", Lacp = "lacp", Ptp = "ptp", Mrp = "mrp", Prp = "prp", Hsr = "hsr",
        Eapol = "eapol", ProfinetDcp = "profinet-dcp", Vtp = "vtp", Dtp = "dtp", Glbp = "glbp", Carp = "carp",
        Rip = "rip", Ospf = "ospf", Eigrp = "eigrp", Bgp = "bgp",
    }
}

impl Protocol {
    /// True where its messages become OT events.
    pub const fn is_control(self) -> bool {
        (self as u8) <= Protocol::Opcua as u8
    }
}

vocabulary! {
    /// What an event does; the same closed list for every protocol.
    Operation {
        Discover = "discover", Read = "read", Subscribe = "subscribe", Report = "report", Write = "write",
        Operate = "operate", Configure = "configure", ProgramDownload = "program_download",
        ProgramUpload = "program_upload", Firmware = "firmware", Mode = "mode", Stop = "stop", Start = "start",
        Restart = "restart", Time = "time", File = "file", Authenticate = "authenticate",
        Diagnose = "diagnose", Session = "session", Unknown = "unknown",
    }
}

impl Operation {
    /// True where the operation can alter the process, the device or its program.
    pub const fn changes_state(self) -> bool {
        !matches!(
            self,
            Operation::Discover
                | Operation::Read
                | Operation::Subscribe
                | Operation::Report
                | Operation::Diagnose
                | Operation::Session
                | Operation::Authenticate
                | Operation::ProgramUpload
                | Operation::Unknown
        )
    }
}

vocabulary! {
    /// What a PDU is in its conversation.
    Kind {
        /// Asks for an answer.
        Request = "request",
        /// A positive answer.
        Response = "response",
        /// A negative answer: exception, error, reject, abort.
        Error = "error",
        /// Sent by a server of its own accord, to a known client.
        Unsolicited = "unsolicited",
        /// Acknowledges a message of the application layer.
        Confirm = "confirm",
        /// A request that no answer is due to (unconfirmed services, broadcasts).
        Unconfirmed = "unconfirmed",
        /// A message of the carrying layer alone (DNP3 link frames without user data, BVLC).
        Link = "link",
        /// A message of the network layer alone (BACnet NSDU).
        Network = "network",
        /// Neither request nor response could be told.
        Unknown = "unknown",
    }
}

vocabulary! {
    /// What a device says of itself, or what its traffic says of it.
    Attribute {
        Vendor = "vendor", VendorId = "vendor_id", Model = "model", Product = "product", Firmware = "firmware",
        Hardware = "hardware", Serial = "serial", Name = "name", Location = "location",
        Description = "description", Application = "application", Instance = "instance", Url = "url",
        ProtocolRevision = "protocol_revision", State = "state", Slot = "slot",
        Hostname = "hostname", Domain = "domain", OperatingSystem = "operating_system", Version = "version",
        User = "user", Software = "software", Address = "address", Mac = "mac", Port = "port",
        RoleHint = "role_hint", Certificate = "certificate",
    }
}

vocabulary! {
    /// Malformed or protocol-violating input, as data that a rule can match.
    OddityCode {
        /// A length field contradicts the octets that are there.
        BadLength = "bad_length",
        /// A checksum or CRC does not match.
        BadChecksum = "bad_checksum",
        /// A field holds a value that the standard forbids.
        InvalidValue = "invalid_value",
        /// The message ends before its fields do.
        Truncated = "truncated",
        /// Octets follow where the message should have ended.
        TrailingOctets = "trailing_octets",
        /// An object or data type whose size is not known, so that the rest of the message stays undecoded.
        UndecodedObject = "undecoded_object",
        /// A segment or fragment that does not follow the one before.
        BadSequence = "bad_sequence",
        /// A retransmission or overlapping fragment carried other octets.
        ConflictingOverlap = "conflicting_overlap",
        /// Octets of a stream are missing from the capture.
        Gap = "gap",
        /// Octets inside a recognised stream that are no message of its protocol.
        NotTheProtocol = "not_the_protocol",
        /// A header below the protocols could not be read.
        BadHeader = "bad_header",
        /// A response whose content contradicts its request.
        Mismatch = "mismatch",
        /// A fragmented packet whose other fragments never came.
        IncompleteFragments = "incomplete_fragments",
        /// More packets inside one another than are unpacked.
        TooDeep = "too_deep",
        /// The token of a bus is passed to another station than before.
        RingChanged = "ring_changed",
    }
}

/// The address below a network address: Modbus unit identifier, DNP3 link address, BACnet network and MAC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// The protocol has none here.
    #[default]
    None,
    /// A plain number (Modbus unit identifier, DNP3 link address).
    Number(u32),
    /// BACnet SNET/SADR or DNET/DADR (ASHRAE 135, 6.2.2); a length of 0 is a broadcast on that network.
    Bacnet {
        /// Network number; 65535 is the global broadcast.
        network: u16,
        /// Octets of `mac` in use.
        length: u8,
        /// The MAC address; longer ones (LonTalk, VMAC) are cut to 8 octets.
        mac: [u8; 8],
    },
    /// In claims: the host with this MAC address itself, whatever network address it has.
    Station([u8; 6]),
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unit::None => Ok(()),
            Unit::Number(number) => write!(f, "{number}"),
            Unit::Station(mac) => Station::Mac(*mac).fmt(f),
            Unit::Bacnet { network, length: 0, .. } => write!(f, "{network}:*"),
            Unit::Bacnet { network, length: 1, mac } => write!(f, "{network}:{}", mac[0]),
            Unit::Bacnet { network, length, mac } => {
                write!(f, "{network}:")?;
                mac[..usize::from(*length).min(8)].iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
        }
    }
}

/// How a message takes part in an exchange. Keys are compared within one flow and one direction of asking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pairing {
    /// A PDU that makes no event by itself (confirm, acknowledgement of a segment, link housekeeping).
    #[default]
    None,
    /// Opens an exchange and awaits an answer with the same key.
    Opens(u64),
    /// Answers the exchange with this key; more answers follow unless `last`.
    Answers {
        /// Key of the request.
        key: u64,
        /// False while further fragments or segments of the answer are due.
        last: bool,
    },
    /// An event of its own (unsolicited, unconfirmed).
    Alone,
}

/// What a message reads, writes or reports: a contiguous range of points, or one property of one object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object {
    /// Standard's word, hyphenated: `holding-register`, `analog-input`, `control-relay-output`, `device`.
    pub kind: &'static str,
    /// Number of the kind where it is not named (`kind` is then a generic word such as `group` or `object`).
    pub type_number: Option<u32>,
    /// DNP3 variation, S7 element type.
    pub variation: Option<u16>,
    /// First point index, register address (zero-based) or object instance; none where all are meant.
    pub start: Option<u32>,
    /// Number of points.
    pub count: u32,
    /// Points that one value takes where points are octets and values may be longer (S7); 0 where each has its own.
    pub stride: u32,
    /// BACnet property identifier, S7 data block, OPC UA attribute.
    pub property: Option<u32>,
    /// Name of that property (empty where unknown or not applicable).
    pub property_name: &'static str,
    /// The point's name where the protocol names points (OPC UA node ids), as a range of [`Message::text`]; it takes the
    /// place of the property's name.
    pub name: Range<u32>,
    /// Index into a property's array (BACnet array index, Modbus MEI object id, DNP3 attribute variation), S7 bit.
    pub index: Option<u32>,
    /// BACnet write priority.
    pub priority: Option<u8>,
    /// Numbers carried, as a range of [`Message::values`].
    pub values: Range<u32>,
    /// Words carried (text values, control codes), as a range of [`Message::text`].
    pub text: Range<u32>,
    /// Status: DNP3 outcome, or flags of a point that is not plainly online; BACnet error of this object; else none.
    pub status: Option<u16>,
}

/// One message of a protocol, decoded.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its part in the conversation.
    pub kind: Kind,
    /// True when the sender is the protocol client (Modbus client, DNP3 master, BACnet requester).
    pub from_client: bool,
    /// Sub-address of the sender.
    pub source_unit: Unit,
    /// Sub-address of the receiver.
    pub destination_unit: Unit,
    /// Code of the carrying layer: BVLC function; DNP3 link function with PRM as bit 6 (0x40).
    pub link_code: Option<u8>,
    /// PDU type where it is coded apart from the function (BACnet APDU type).
    pub message_type: Option<u8>,
    /// Function code or service choice; none where the octets with it are not there.
    pub function: Option<u16>,
    /// The function's name in the protocol's table; empty where the table has none.
    pub name: &'static str,
    /// What the function does.
    pub operation: Operation,
    /// Exception, error, reject or abort code of a negative answer; DNP3 IIN of any answer stays out of here.
    pub status: Option<u16>,
    /// Name of that code; empty where the table has none.
    pub status_name: &'static str,
    /// Transaction identifier, application sequence or invoke id.
    pub transaction: Option<u32>,
    /// DNP3 internal indications (IIN1 in the low octet).
    pub indications: Option<u16>,
    /// How it takes part in an exchange.
    pub pairing: Pairing,
    /// Octets on the wire, headers of the protocol included, as announced.
    pub length: u32,
    /// False when the capture or the stream does not hold the message to its end.
    pub complete: bool,
    /// What it is about, in wire order.
    pub objects: Vec<Object>,
    /// Numbers of all objects.
    pub values: Vec<f64>,
    /// Words of all objects.
    pub text: String,
}

impl Default for Message {
    fn default() -> Self {
        Message {
            kind: Kind::Unknown,
            from_client: true,
            source_unit: Unit::None,
            destination_unit: Unit::None,
            link_code: None,
            message_type: None,
            function: None,
            name: "",
            operation: Operation::Unknown,
            status: None,
            status_name: "",
            transaction: None,
            indications: None,
            pairing: Pairing::None,
            length: 0,
            complete: true,
            objects: Vec::new(),
            values: Vec::new(),
            text: String::new(),
        }
    }
}

impl Message {
    /// At most this many objects of one message are kept; a fragment or APDU holds fewer unless it is hostile.
    pub const MAX_OBJECTS: usize = 4096;

    /// Empties the message and keeps its buffers.
    pub fn reset(&mut self) {
        let (mut objects, mut values, mut text) =
            (std::mem::take(&mut self.objects), std::mem::take(&mut self.values), std::mem::take(&mut self.text));
        objects.clear();
        values.clear();
        text.clear();
        *self = Message { objects, values, text, ..Message::default() };
    }

    /// What it takes in memory.
    pub fn octets(&self) -> usize {
        let Message { objects, values, text, .. } = self;
        size_of::<Message>()
            + objects.capacity() * size_of::<Object>()
            + size_of::<f64>() * values.capacity()
            + text.capacity()
    }

    /// Gives back the room that it does not need.
    pub fn fit(&mut self) {
        self.objects.shrink_to_fit();
        self.values.shrink_to_fit();
        self.text.shrink_to_fit();
    }

    /// Adds numbers and returns where they are.
    pub fn push_values(&mut self, numbers: impl IntoIterator<Item = f64>) -> Range<u32> {
        let start = self.values.len() as u32;
        self.values.extend(numbers);
        start..self.values.len() as u32
    }

    /// Adds words and returns where they are.
    pub fn push_text(&mut self, words: &str) -> Range<u32> {
        let start = self.text.len() as u32;
        self.text.push_str(words);
        start..self.text.len() as u32
    }

    /// Numbers of one object.
    pub fn values_of(&self, object: &Object) -> &[f64] {
        self.values.get(object.values.start as usize..object.values.end as usize).unwrap_or(&[])
    }

    /// Name of one object's point.
    pub fn name_of(&self, object: &Object) -> &str {
        self.text.get(object.name.start as usize..object.name.end as usize).unwrap_or("")
    }

    /// Words of one object.
    pub fn text_of(&self, object: &Object) -> &str {
        self.text.get(object.text.start as usize..object.text.end as usize).unwrap_or("")
    }
}

/// One statement about the device that sent (or is named in) the message being decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// True where the sender of the message is meant, false where the receiver is.
    pub about_sender: bool,
    /// Where neither is meant: the host at this address, for which the sender spoke (BACnet Forwarded-NPDU).
    pub address: Option<SocketAddr>,
    /// Sub-address of the device within that host; `Unit::None` for the host itself.
    pub unit: Unit,
    /// What is stated.
    pub attribute: Attribute,
    /// The value, as text, at most 255 octets, control characters replaced.
    pub value: String,
}

/// Something malformed, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oddity {
    /// Which kind.
    pub code: OddityCode,
    /// Layer it was found in: `ipv4`, `tcp`, `mbap`, `modbus`, `dnp3-link`, `dnp3-application`, `bvlc`, `npdu` …
    pub layer: &'static str,
    /// Octets from the start of the message (or of the header, below the protocols).
    pub offset: u32,
    /// What the standard has there, and what was found.
    pub expected: String,
}
