//! What hosts do in the protocols of services, as far as it tells who they are and what they reach: a name looked up, a
//! login, a page, a file. Never what a password, a page or a file holds.

use std::hash::{BuildHasher, Hash, Hasher};

use hashbrown::{HashMap, HashTable};

use crate::columns::{Table, rows};
use crate::exchange::{Conversation, Status};
use crate::intern::Dictionaries;
use crate::model::{Operation, Protocol, vocabulary};
use crate::net::tcp::Stamp;
use crate::session::Direction;

/// Activities that differ in nothing but time are counted together within this time.
const BUCKET_NS: i64 = 15 * 60 * 1_000_000_000;
/// Distinct activities kept of one client, server and protocol within that time.
const MAX_OF_PAIR: u32 = 256;
/// Distinct activities kept within that time.
const MAX_ROWS: usize = 20_000;
/// Octets of their fields.
const MAX_OCTETS: usize = 8 * 1024 * 1024;
/// Octets of one field.
const MAX_VALUE: usize = 255;
/// Fields of one activity.
const MAX_FIELDS: usize = 32;

vocabulary! {
    /// What an activity's fields are called: names of the Elastic Common Schema where it has one, else the protocol's.
    Field {
        DnsQuestionName = "dns.question.name", DnsQuestionType = "dns.question.type", DnsAnswers = "dns.answers",
        DhcpMessageType = "dhcp.message_type", DhcpClientMac = "dhcp.client.mac", DhcpHostname = "dhcp.hostname",
        DhcpFqdn = "dhcp.fqdn", DhcpVendorClass = "dhcp.vendor_class", DhcpAssigned = "dhcp.assigned_ip",
        DhcpRequested = "dhcp.requested_ip", DhcpServer = "dhcp.server", DhcpRouter = "dhcp.router",
        DhcpDns = "dhcp.dns", DhcpLease = "dhcp.lease_time", DhcpDomain = "dhcp.domain",
        TlsVersion = "tls.version", TlsCipher = "tls.cipher", TlsServerName = "tls.client.server_name",
        TlsJa4 = "tls.client.ja4", TlsNextProtocol = "tls.next_protocol",
        TlsOffered = "tls.client.version", TlsOfferedProtocols = "tls.client.next_protocols", TlsEstablished = "tls.established",
        TlsSubject = "tls.server.x509.subject", TlsIssuer = "tls.server.x509.issuer",
        TlsSerial = "tls.server.x509.serial_number", TlsNotBefore = "tls.server.not_before",
        TlsNotAfter = "tls.server.not_after", TlsNames = "tls.server.x509.alternative_names",
        TlsSelfSigned = "tls.server.self_signed", TlsClientSubject = "tls.client.x509.subject",
        QuicVersion = "quic.version",
        HttpMethod = "http.request.method", HttpStatus = "http.response.status_code", UrlDomain = "url.domain",
        UrlPath = "url.path", UserAgent = "user_agent.original", HttpServer = "http.server",
        HttpAuthentication = "http.authentication", HttpContentType = "http.response.mime_type",
        HttpOffered = "http.authentication_offered", HttpRealm = "http.realm", UrlParameters = "url.parameters",
        SoapAction = "soap.action", Banner = "service.banner",
        UserName = "user.name", UserDomain = "user.domain", HostName = "host.name", Workstation = "source.host.name",
        Authentication = "authentication.mechanism",
        CredentialKind = "credential.kind", CredentialDefault = "credential.default",
        FileName = "file.name", FileAction = "file.action", FileSize = "file.size", FileNewName = "file.new_name",
        SmbDialect = "smb.dialect", SmbShare = "smb.share", SmbShareKind = "smb.share_type",
        SmbSigning = "smb.signing", SmbOs = "smb.os", SmbSession = "smb.session",
        DceRpcInterface = "dce_rpc.interface", DceRpcOperation = "dce_rpc.operation", DceRpcEndpoint = "dce_rpc.endpoint",
        NtlmVersion = "ntlm.version", NtlmTarget = "ntlm.target",
        KerberosRealm = "kerberos.realm", KerberosService = "kerberos.service", KerberosCipher = "kerberos.cipher",
        LdapName = "ldap.name", LdapAuthentication = "ldap.authentication",
        LdapScope = "ldap.scope",
        SshClient = "ssh.client", SshServer = "ssh.server", SshVersion = "ssh.version", SshHassh = "ssh.hassh",
        SshKeyExchange = "ssh.key_exchange", SshHostKey = "ssh.host_key", SshCipher = "ssh.cipher", SshMac = "ssh.mac",
        RdpCookie = "rdp.cookie", RdpRequested = "rdp.requested_protocols", RdpSecurity = "rdp.security_protocol",
        RdpClientName = "rdp.client.name", RdpClientBuild = "rdp.client.build",
        RdpKeyboard = "rdp.client.keyboard", RdpEncryption = "rdp.encryption",
        IkeVersion = "ike.version", IkeVendor = "ike.vendor", IkeEncryption = "ike.encryption",
        IkeGroup = "ike.group", OpenvpnProtection = "openvpn.protection",
        TunnelName = "tunnel.name", TunnelVendor = "tunnel.vendor",
        SocksVersion = "socks.version", SocksTarget = "socks.target",
        VncVersion = "vnc.version", VncSecurity = "vnc.security_type",
        VncOffered = "vnc.security_offered",
        SnmpVersion = "snmp.version", SnmpPdu = "snmp.pdu", SnmpCommunity = "snmp.community_class",
        SnmpObject = "snmp.object", SnmpEngine = "snmp.engine_id",
        SnmpSecurity = "snmp.security_level",
        NtpVersion = "ntp.version", NtpStratum = "ntp.stratum", NtpReference = "ntp.ref_id", NtpMode = "ntp.mode",
        SyslogFacility = "log.syslog.facility", SyslogSeverity = "log.syslog.severity",
        SyslogHost = "log.syslog.hostname", SyslogApplication = "log.syslog.appname",
        MqttClient = "mqtt.client_id", MqttTopic = "mqtt.topic", MqttVersion = "mqtt.version",
        MqttWill = "mqtt.will_topic",
        DatabaseName = "db.name", DatabaseVersion = "db.version", DatabaseApplication = "db.application",
        DatabaseServer = "db.server", DatabaseEncryption = "db.encryption", DatabaseAuthentication = "db.authentication",
        MailFrom = "email.from", MailTo = "email.to", MailHello = "smtp.helo",
        MailAuthentication = "email.authentication", TerminalType = "telnet.terminal_type", UserClient = "user.client",
        TftpMode = "tftp.mode", RadiusServer = "radius.nas", RadiusPort = "radius.nas_port",
        RadiusStation = "radius.calling_station", SipTo = "sip.to", SipFrom = "sip.from",
        ServiceVersion = "service.version", ServiceName = "service.name", ServiceLocation = "service.location",
        ArpSenderIp = "arp.sender.ip", ArpSenderMac = "arp.sender.mac", ArpTargetIp = "arp.target.ip",
        IcmpType = "icmp.type", IcmpCode = "icmp.code", IcmpGateway = "icmp.gateway", IcmpTarget = "icmp.target",
        Icmpv6Prefix = "icmpv6.prefix", Icmpv6Lifetime = "icmpv6.router_lifetime", Icmpv6Mac = "icmpv6.link_address", Icmpv6Flags = "icmpv6.flags",
        IgmpGroup = "igmp.group", IgmpVersion = "igmp.version",
        VirtualAddress = "redundancy.virtual_ip", VirtualGroup = "redundancy.group",
        VirtualPriority = "redundancy.priority", VirtualState = "redundancy.state",
        StpRoot = "stp.root", StpBridge = "stp.bridge", StpVersion = "stp.version", StpCost = "stp.root_path_cost",
        NeighbourChassis = "neighbour.chassis", NeighbourPort = "neighbour.port", NeighbourVlan = "neighbour.vlan",
        LacpSystem = "lacp.system", LacpKey = "lacp.key",
        PtpDomain = "ptp.domain", PtpGrandmaster = "ptp.grandmaster", PtpVersion = "ptp.version",
        RingDomain = "ring.domain", RingRole = "ring.role", RingState = "ring.state",
        NetbiosName = "netbios.name", NetbiosNameType = "netbios.name_type", NetbiosAnswers = "netbios.answers",
        NetbiosServerType = "netbios.server_type",
        DhcpRelay = "dhcp.relay_agent", DhcpParameters = "dhcp.parameter_list", DhcpClientId = "dhcp.client_id",
        DhcpBootFile = "dhcp.boot_file", DhcpBootServer = "dhcp.boot_server", DhcpMessage = "dhcp.message",
        DhcpCircuit = "dhcp.agent_circuit_id", DhcpRemote = "dhcp.agent_remote_id", DhcpEnterprise = "dhcp.enterprise",
        NeighbourSystem = "neighbour.system", NeighbourDescription = "neighbour.description",
        NeighbourAddress = "neighbour.management_address", NeighbourCapabilities = "neighbour.capabilities",
        NeighbourPlatform = "neighbour.platform", NeighbourVersion = "neighbour.version",
        NeighbourDuplex = "neighbour.duplex", VtpDomain = "vtp.domain", VtpRevision = "vtp.revision",
        DtpMode = "dtp.mode",
        StpPort = "stp.port", StpFlags = "stp.flags", StpRegion = "stp.region", StpVlan = "stp.vlan",
        LacpPort = "lacp.port", LacpState = "lacp.state", LacpPartner = "lacp.partner",
        PtpClass = "ptp.clock_class", PtpAccuracy = "ptp.clock_accuracy", PtpSource = "ptp.time_source",
        PtpPriority = "ptp.priority", PtpSteps = "ptp.steps_removed", PtpPort = "ptp.port_identity",
        EapMethod = "eap.method", EapolVersion = "eapol.version",
        StationName = "profinet.station_name", ProfinetDevice = "profinet.device_id",
        ProfinetAddress = "profinet.ip_address", ProfinetBlock = "profinet.block", ProfinetVendor = "profinet.vendor",
        IcmpDestination = "icmp.original_destination", IcmpPort = "icmp.original_port",
        IgmpSource = "igmp.source", RouterId = "routing.router_id", RoutingArea = "routing.area",
        RoutingSystem = "routing.autonomous_system", RoutingNetwork = "routing.network",
        RoutingVersion = "routing.version",
    }
}

/// One thing done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// The way that leads from who asks to who is asked.
    pub client: Direction,
    /// What is done, in the protocol's word.
    pub action: &'static str,
    /// What that is in the closed list of operations.
    pub operation: Operation,
    /// How it ended.
    pub status: Status,
    /// The protocol's word or number for that; empty where it has none.
    pub code: String,
    /// Frame of the request, where this is told at the answer.
    pub request_frame: Option<u64>,
    /// What is known of it, in the order in which it was said.
    pub fields: Vec<(Field, String)>,
}

impl Activity {
    /// Something done that no answer is due to, or is known of.
    pub fn new(client: Direction, action: &'static str, operation: Operation) -> Self {
        Activity {
            client,
            action,
            operation,
            status: Status::OneWay,
            code: String::new(),
            request_frame: None,
            fields: Vec::new(),
        }
    }

    /// Adds a field, unless it is empty.
    #[must_use]
    pub fn with(mut self, field: Field, value: impl Into<String>) -> Self {
        self.put(field, value);
        self
    }

    /// Adds a field, unless it is empty; what is longer than a field may be is cut.
    pub fn put(&mut self, field: Field, value: impl Into<String>) {
        let mut value = value.into();
        let mut end = value.len().min(MAX_VALUE);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        value.truncate(end);
        if !value.is_empty() && self.fields.len() < MAX_FIELDS {
            self.fields.push((field, value));
        }
    }

    /// How it ended, with the protocol's word for it.
    #[must_use]
    pub fn ended(mut self, status: Status, code: impl Into<String>) -> Self {
        (self.status, self.code) = (status, code.into());
        self
    }

    fn octets(&self) -> usize {
        self.code.len() + self.fields.iter().map(|(_, value)| value.len()).sum::<usize>()
    }
}

/// Whose an activity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Pair {
    source: u32,
    protocol: Protocol,
    client: u32,
    server: u32,
}

#[derive(Clone, Debug)]
struct Counted {
    pair: Pair,
    place: Conversation,
    activity: Activity,
    coalesced: bool,
    count: u64,
    first: Stamp,
    last: Stamp,
}

/// Where an activity was counted; good for as long as its quarter of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    row: u32,
    turn: u64,
}

/// Activities of the current quarter of an hour, counted.
#[derive(Clone, Default)]
pub struct Activities {
    rows: Vec<Counted>,
    index: HashTable<u32>,
    pairs: HashMap<Pair, u32, foldhash::fast::RandomState>,
    hasher: foldhash::fast::RandomState,
    octets: usize,
    bucket: Option<i64>,
    /// Quarters of an hour so far.
    turn: u64,
    /// Activities counted without their fields, because their pair had too many that differ.
    pub coalesced: u64,
    /// Activities not kept.
    pub dropped: u64,
    /// Octets of the fields of all that became rows.
    pub told: usize,
}

impl Activities {
    /// Counts an activity of a conversation; gives its place where it was kept whole.
    pub fn add(
        &mut self,
        place: &Conversation,
        mut activity: Activity,
        stamp: Stamp,
        table: &mut Table<rows::Activity>,
        dictionaries: &mut Dictionaries,
    ) -> Option<Place> {
        let bucket = stamp.time.div_euclid(BUCKET_NS);
        if self.bucket.is_some_and(|current| current < bucket) {
            self.turn(table, dictionaries);
        }
        self.bucket = Some(self.bucket.map_or(bucket, |current| current.max(bucket)));
        let side = activity.client as usize;
        let (client, server) = (place.addresses[side], place.addresses[1 - side]);
        let pair = Pair { source: place.source, protocol: place.protocol, client, server };
        let mut found = self.find(&pair, place, &activity, false);
        if found.is_none() {
            let kept = self.pairs.get(&pair).copied().unwrap_or_default();
            if kept < MAX_OF_PAIR && self.rows.len() < MAX_ROWS && self.octets < MAX_OCTETS {
                self.pairs.insert(pair, kept + 1);
                return Some(self.keep(pair, place, activity, false, stamp));
            }
            activity.fields = Vec::new();
            activity.code = String::new();
            self.coalesced += 1;
            found = self.find(&pair, place, &activity, true);
            if found.is_none() && self.rows.len() < 2 * MAX_ROWS {
                self.keep(pair, place, activity, true, stamp);
                return None;
            }
        }
        let Some((number, row)) = found.and_then(|row| Some((row, self.rows.get_mut(row as usize)?))) else {
            self.dropped += 1;
            return None;
        };
        (row.count, row.last) = (row.count + 1, stamp);
        (!row.coalesced).then_some(Place { row: number, turn: self.turn })
    }

    /// True where what was counted at these places can be counted there once more.
    #[inline]
    pub fn are_current(&self, places: &[Place], stamp: Stamp) -> bool {
        self.bucket.is_none_or(|current| current >= stamp.time.div_euclid(BUCKET_NS))
            && places.iter().all(|place| place.turn == self.turn)
    }

    /// Counts an activity once more.
    #[inline]
    pub fn again(&mut self, place: Place, stamp: Stamp) {
        if let Some(row) = self.rows.get_mut(place.row as usize) {
            (row.count, row.last) = (row.count + 1, stamp);
        }
    }

    /// All that was counted so far becomes rows, in the order in which it was first seen.
    pub fn turn(&mut self, table: &mut Table<rows::Activity>, dictionaries: &mut Dictionaries) {
        let names = &mut dictionaries.names;
        table.extend(self.rows.drain(..).map(|counted| {
            let Counted { pair, place, activity, coalesced, count, first, last } = counted;
            let side = activity.client as usize;
            rows::Activity {
                source: pair.source,
                capture: first.capture,
                protocol: names.fixed(pair.protocol.name()),
                transport: names.fixed(place.transport),
                client: pair.client,
                server: pair.server,
                ports: [place.ports[side], place.ports[1 - side]],
                vlan: place.vlan,
                action: names.fixed(activity.action),
                operation: names.fixed(activity.operation.name()),
                status: names.fixed(activity.status.name()),
                code: activity.code,
                fields: activity
                    .fields
                    .into_iter()
                    .map(|(field, value)| rows::ActivityField { name: names.fixed(field.name()), value })
                    .collect(),
                coalesced,
                count,
                first_time: first.time,
                last_time: last.time,
                request_frame: activity.request_frame,
                first_frame: first.frame,
                last_frame: last.frame,
                last_capture: last.capture,
            }
        }));
        self.index.clear();
        self.pairs.clear();
        self.told += self.octets;
        self.octets = 0;
        self.bucket = None;
        self.turn += 1;
    }

    fn find(&self, pair: &Pair, place: &Conversation, activity: &Activity, coalesced: bool) -> Option<u32> {
        let port = server_port(place, activity);
        let hash = hash(&self.hasher, pair, port, activity, coalesced);
        let is_same = |row: &u32| {
            let row = &self.rows[*row as usize];
            let same = (row.coalesced, row.activity.status, server_port(&row.place, &row.activity));
            row.pair == *pair
                && same == (coalesced, activity.status, port)
                && row.activity.action == activity.action
                && row.activity.code == activity.code
                && row.activity.fields == activity.fields
        };
        self.index.find(hash, is_same).copied()
    }

    fn keep(&mut self, pair: Pair, place: &Conversation, activity: Activity, coalesced: bool, stamp: Stamp) -> Place {
        let number = self.rows.len() as u32;
        self.octets += activity.octets();
        self.rows.push(Counted { pair, place: *place, activity, coalesced, count: 1, first: stamp, last: stamp });
        let (rows, hasher) = (&self.rows, &self.hasher);
        let hash = |row: &u32| {
            let Counted { pair, place, activity, coalesced, .. } = &rows[*row as usize];
            hash(hasher, pair, server_port(place, activity), activity, *coalesced)
        };
        self.index.insert_unique(hash(&number), number, hash);
        Place { row: number, turn: self.turn }
    }
}

fn server_port(place: &Conversation, activity: &Activity) -> u16 {
    place.ports[activity.client.opposite() as usize]
}

fn hash(hasher: &impl BuildHasher, pair: &Pair, port: u16, activity: &Activity, coalesced: bool) -> u64 {
    let mut hasher = hasher.build_hasher();
    (pair, port, activity.action, activity.status as u8, &activity.code, coalesced).hash(&mut hasher);
    activity.fields.iter().for_each(|(field, value)| (*field as u8, value).hash(&mut hasher));
    hasher.finish()
}
