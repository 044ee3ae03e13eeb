//! What is told of a secret that was seen: of which kind it is, and whether everybody knows it. Never the secret, nor its
//! length.

use crate::activity::{Activity, Field};

/// Passwords that devices are shipped with, by the manuals of their makers: of controllers, panels, drives, relays, network
/// equipment, cameras and recorders.
const PASSWORDS: &[&[u8]] = &[
    b"",
    b"0000",
    b"000000",
    b"00000000",
    b"1",
    b"100",
    b"1111",
    b"111111",
    b"11111111",
    b"1234",
    b"12345",
    b"123456",
    b"12345678",
    b"123456789",
    b"1234567890",
    b"2222",
    b"4321",
    b"54321",
    b"654321",
    b"666666",
    b"7654321",
    b"777777",
    b"888888",
    b"987654321",
    b"9999",
    b"ABCD",
    b"access",
    b"adm",
    b"ADMIN",
    b"Admin",
    b"admin",
    b"admin1",
    b"Admin123",
    b"admin123",
    b"admin1234",
    b"adminadmin",
    b"Administrator",
    b"administrator",
    b"anko",
    b"anonymous",
    b"ASPIN",
    b"basisk",
    b"BLONDEL",
    b"calvin",
    b"centum",
    b"changeme",
    b"cisco",
    b"CLARKE",
    b"dbps",
    b"default",
    b"default1",
    b"EDITH",
    b"engineer",
    b"epicrouter",
    b"factorycast",
    b"fwdownload",
    b"fwupgrade",
    b"guest",
    b"hmi",
    b"icpdas",
    b"isco",
    b"jvbzd",
    b"letmein",
    b"loytec4u",
    b"manager",
    b"Master",
    b"master",
    b"MELSEC",
    b"mGuard",
    b"MITSUBISHI",
    b"moxa",
    b"ncc1701",
    b"netadmin",
    b"netman",
    b"niagara",
    b"nic2212",
    b"ntpupdate",
    b"OMRON",
    b"omron",
    b"operator",
    b"OTTER",
    b"PASS",
    b"pass",
    b"Password",
    b"password",
    b"pcfactory",
    b"pi",
    b"plc",
    b"poiuypoiuy",
    b"PRIVATE",
    b"private",
    b"public",
    b"qwerty",
    b"raspberry",
    b"redlion",
    b"rockwell",
    b"root",
    b"root123",
    b"rw",
    b"sa",
    b"scada",
    b"schneider",
    b"security",
    b"service",
    b"SIEMENS",
    b"Siemens",
    b"siemens",
    b"Simatic",
    b"simatic",
    b"sixnet",
    b"sresurdevice",
    b"super",
    b"supervisor",
    b"support",
    b"sysadmin",
    b"sysdiag",
    b"System",
    b"system",
    b"SystemAdmin",
    b"TAIL",
    b"tech",
    b"technician",
    b"telnet",
    b"test",
    b"toor",
    b"ubnt",
    b"USER",
    b"user",
    b"user1",
    b"USERUSER",
    b"utilisateur",
    b"vizxv",
    b"wago",
    b"webguest",
    b"westermo",
    b"xc3511",
    b"yokogawa",
    b"zaq12wsx",
];

/// Community names that agents are shipped with.
const COMMUNITIES: &[&[u8]] = &[
    b"public",
    b"private",
    b"admin",
    b"all private",
    b"cisco",
    b"community",
    b"default",
    b"ILMI",
    b"manager",
    b"monitor",
    b"netman",
    b"OrigEquipMfr",
    b"password",
    b"rmon",
    b"security",
    b"snmp",
    b"snmpd",
    b"system",
    b"write",
];

/// Parts of the names that secrets have in paths and lists of parameters.
const NAMES: &[&[u8]] = &[
    b"passw",
    b"passcode",
    b"passphrase",
    b"kennwort",
    b"pwd",
    b"secret",
    b"token",
    b"apikey",
    b"api_key",
    b"api-key",
];

/// True for the name of something secret. `p` is the password where DNS tells of services (RFC 6763).
fn is_name(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    matches!(&*name, "p" | "pass") || NAMES.iter().any(|part| memchr::memmem::find(name.as_bytes(), part).is_some())
}

/// A text without its value, where it is `name=value` of something secret.
pub fn without_secret(text: &str) -> String {
    match text.split_once('=') {
        Some((name, _)) if is_name(name) => format!("{name}="),
        _ => text.to_string(),
    }
}

/// True for a text that was left without the value of a secret.
pub fn is_without_secret(text: &str) -> bool {
    text.strip_suffix('=').is_some_and(is_name)
}

/// The same for each part of a path; and what is behind a part that is such a name is not told.
pub fn path_without_secrets(path: &str) -> String {
    let mut told = String::with_capacity(path.len());
    let mut is_value = false;
    for (number, part) in path.split('/').enumerate() {
        if number > 0 {
            told.push('/');
        }
        told.push_str(&if is_value { "*".repeat(usize::from(!part.is_empty())) } else { without_secret(part) });
        is_value = !part.contains('=') && is_name(part);
    }
    told
}

/// True for a password that devices are shipped with, or the user's own name.
pub fn is_known_password(user: &[u8], password: &[u8]) -> bool {
    PASSWORDS.contains(&password) || password == user
}

/// The class of a community name: `public`, `private` or another that agents are shipped with, or `custom`.
pub fn community_class(community: &[u8]) -> &'static str {
    match community {
        b"public" => "public",
        b"private" => "private",
        _ if COMMUNITIES.contains(&community) => "default",
        _ => "custom",
    }
}

impl Activity {
    /// Tells that a secret of this kind was sent, and whether everybody knows it, where that could be told.
    pub fn put_secret(&mut self, kind: &'static str, is_known: Option<bool>) {
        self.put(Field::CredentialKind, kind);
        if let Some(is_known) = is_known {
            self.put(Field::CredentialDefault, if is_known { "true" } else { "false" });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secrets_are_left_out() {
        for (text, told) in [
            ("password=x", "password="),
            ("p=x", "p="),
            ("Api-Key = x=y", "Api-Key ="),
            ("path=/status", "path=/status"),
            ("password", "password"),
        ] {
            assert_eq!(without_secret(text), told);
            assert_eq!(is_without_secret(told), text != told);
        }
        for (path, told) in [
            ("/index.html", "/index.html"),
            ("/api/token/x/rows", "/api/token/*/rows"),
            ("/login/user=eva/passwd=x", "/login/user=eva/passwd="),
            ("/password/", "/password/"),
            ("/reset-password/x", "/reset-password/*"),
        ] {
            assert_eq!(path_without_secrets(path), told);
        }
    }

    #[test]
    fn defaults_are_told_from_others() {
        let cases: [(&[u8], &[u8], bool); 5] = [
            (b"root", b"root", true),
            (b"USER", b"USERUSER", true),
            (b"admin", b"", true),
            (b"eva", b"eva", true),
            (b"eva", b"correct horse", false),
        ];
        for (user, password, known) in cases {
            assert_eq!(is_known_password(user, password), known);
        }
        assert_eq!(
            (community_class(b"public"), community_class(b"cisco"), community_class(b"plant7")),
            ("public", "default", "custom")
        );
    }
}
