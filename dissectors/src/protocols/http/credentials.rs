//! Who authenticates and how. What is secret stays here.

use crate::activity::{Activity, Field};
use crate::bytes::printable;
use crate::secrets::is_known_password;
use crate::session::Output;
use crate::text::{base64, element, pairs, parameter, percent_decoded, starts_with, word};

/// Octets that start an NTLM message (MS-NLMP, 2.2.1).
const NTLM: &[u8] = b"NTLMSSP\0";
/// Names of fields that hold a password, or a part of them.
const PASSWORDS: [&[u8]; 6] = [b"password", b"passwd", b"passwort", b"pwd", b"pass", b"kennwort"];
/// Names of fields that hold a user's name.
const USERS: [&[u8]; 10] = [
    b"user",
    b"username",
    b"user_name",
    b"userid",
    b"login",
    b"loginname",
    b"uname",
    b"email",
    b"account",
    b"benutzer",
];
/// Letters of a parameter's name at most; longer ones may be no names.
const MAX_NAME: usize = 32;

/// The scheme that a field names, as it is told.
fn scheme(value: &[u8]) -> &'static str {
    const SCHEMES: [(&[u8], &str); 5] = [
        (b"basic", "basic"),
        (b"digest", "digest"),
        (b"ntlm", "ntlm"),
        (b"negotiate", "negotiate"),
        (b"bearer", "bearer"),
    ];
    let (word, _) = word(value);
    SCHEMES.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map_or("other", |(_, name)| name)
}

/// The value of `Authorization` or `Proxy-Authorization` (RFC 9110, 11.6.2).
pub fn authorization(value: &[u8], activity: &mut Activity, out: &mut Output) {
    let (scheme, (_, credentials)) = (scheme(value), word(value));
    activity.put(Field::HttpAuthentication, scheme);
    match scheme {
        "basic" => {
            let pair = base64(credentials).unwrap_or_default();
            let mut parts = pair.splitn(2, |octet| *octet == b':');
            if let (Some(user), Some(password)) = (parts.next(), parts.next()) {
                activity.put(Field::UserName, printable(user));
                activity.put_secret("password", Some(is_known_password(user, password)));
            }
        }
        "digest" => {
            activity.put(Field::UserName, printable(parameter(credentials, "username").unwrap_or_default()));
            activity.put(Field::HttpRealm, printable(parameter(credentials, "realm").unwrap_or_default()));
            activity.put_secret("digest", None);
        }
        "ntlm" | "negotiate" => token(&base64(credentials).unwrap_or_default(), activity, out),
        _ => activity.put_secret("token", None),
    }
}

/// The value of `WWW-Authenticate` or `Proxy-Authenticate`: what a server asks for (RFC 9110, 11.6.1).
pub fn challenge(value: &[u8], activity: &mut Activity, out: &mut Output) {
    let (scheme, (_, rest)) = (scheme(value), word(value));
    activity.put(Field::HttpOffered, scheme);
    if let Some(realm) = parameter(rest, "realm") {
        activity.put(Field::HttpRealm, printable(realm));
        super::said::realm(realm, out);
    }
    if matches!(scheme, "ntlm" | "negotiate") && !rest.is_empty() {
        token(&base64(rest).unwrap_or_default(), activity, out);
    }
}

/// A security token of NTLM or of SPNEGO (RFC 4559), decoded, of either side. Here is the place for what its content
/// tells of user, domain and host; so far it tells which of both mechanisms it is of.
pub fn token(token: &[u8], activity: &mut Activity, _out: &mut Output) {
    let is_ntlm = token.windows(NTLM.len()).any(|window| window == NTLM);
    activity.put_secret(if is_ntlm { "ntlm" } else { "kerberos" }, None);
}

/// Names and values of a form or of a query: a password among them is a login. True where there was one.
pub fn form(form: &[u8], activity: &mut Activity) -> bool {
    let value = |names: &[&[u8]], is_part: bool| {
        pairs(form).find_map(|(name, value)| {
            let name = name.to_ascii_lowercase();
            let is_it = |wanted: &&[u8]| if is_part { contains(&name, wanted) } else { ends_with_word(&name, wanted) };
            names.iter().any(is_it).then(|| percent_decoded(value.unwrap_or_default()))
        })
    };
    login(value(&USERS, false).as_deref(), value(&PASSWORDS, true).as_deref(), activity)
}

/// The same for a JSON text, as far as its strings are plain.
pub fn json(text: &[u8], activity: &mut Activity) -> bool {
    let value = |names: &[&[u8]]| {
        let mut parts = text.split(|octet| *octet == b'"');
        while let Some(key) = parts.next() {
            if names.iter().any(|name| key.eq_ignore_ascii_case(name)) {
                let between = parts.next().unwrap_or_default().trim_ascii();
                if between == b":" {
                    return parts.next();
                }
            }
        }
        None
    };
    login(value(&USERS), value(&PASSWORDS), activity)
}

/// The user name token of a SOAP message (WS-Security UsernameToken Profile 1.1.1, 3.1).
pub fn soap(xml: &[u8], activity: &mut Activity) {
    let Some(user) = element(xml, "Username") else { return };
    activity.put(Field::UserName, printable(user));
    let password = element(xml, "Password");
    let is_digest = memchr::memmem::find(xml, b"#PasswordDigest").is_some();
    match password {
        Some(_) if is_digest => activity.put_secret("digest", None),
        Some(password) => activity.put_secret("password", Some(is_known_password(user, password))),
        None => {}
    }
}

fn login(user: Option<&[u8]>, password: Option<&[u8]>, activity: &mut Activity) -> bool {
    let Some(password) = password else { return false };
    let user = user.unwrap_or_default();
    activity.put(Field::HttpAuthentication, "form");
    activity.put(Field::UserName, printable(user));
    activity.put_secret("password", Some(is_known_password(user, password)));
    true
}

/// The names of a query's parameters. What has no value, or is no plain name, may be a secret itself.
pub fn names(query: &[u8]) -> String {
    let is_plain = |name: &[u8]| {
        let letters = name.iter().all(|octet| octet.is_ascii_alphanumeric() || b"_-.[]$".contains(octet));
        (1..=MAX_NAME).contains(&name.len()) && letters
    };
    let names = pairs(query).filter(|(name, value)| value.is_some() && is_plain(name)).map(|(name, _)| name);
    names.take(16).map(String::from_utf8_lossy).collect::<Vec<_>>().join(",")
}

fn contains(name: &[u8], part: &[u8]) -> bool {
    name.windows(part.len()).any(|window| window == part)
}

/// True where the name is the word, or ends with it behind a sign that parts words.
fn ends_with_word(name: &[u8], word: &[u8]) -> bool {
    let before = name.strip_suffix(word);
    before.is_some_and(|before| before.last().is_none_or(|octet| !octet.is_ascii_alphanumeric()))
}

/// True where a field's value is of a kind that can only be a secret (keys of interfaces).
pub fn is_key(name: &[u8]) -> bool {
    [&b"x-api-key"[..], b"x-auth-token", b"x-access-token", b"apikey"].iter().any(|key| starts_with(name, key))
}
