//! Productions of constructed property values (clause 21), and constructed data as text.
//!
//! A context tag tells a number and no type; the production of the property does. What no production names is kept
//! as octets, so that nothing is guessed.

use std::fmt::Write as _;

use super::tag::Element;
use super::value::{Type, Value};
use crate::tables;

/// Octets of text kept of one property.
pub const MAX_TEXT: usize = 1024;

/// Numbers kept of one property.
pub const MAX_VALUES: usize = 256;

/// Octets shown of a value whose type is not known.
const MAX_OCTETS: usize = 32;

/// Constructed data within constructed data is followed this deep.
pub const MAX_NESTING: usize = 16;

/// What a context tag holds.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// A primitive.
    Primitive(Type),
    /// A property identifier.
    Property,
    /// Data with tags of its own.
    Nested(&'static Production),
}

/// One context tag of a production: tag number, its name in the production, what it holds.
type Field = (u8, &'static str, Kind);

/// The context tags of a production. Application tags tell their type themselves.
#[derive(Debug)]
pub struct Production(&'static [Field]);

use Kind::{Nested, Primitive, Property};

const OBJECT: Kind = Primitive(Type::ObjectIdentifier);
const UNSIGNED: Kind = Primitive(Type::Unsigned);
const REAL: Kind = Primitive(Type::Real);
const BITS: Kind = Primitive(Type::BitString);
const OCTETS: Kind = Primitive(Type::OctetString);
const WORDS: Kind = Primitive(Type::CharacterString);
const BOOLEAN: Kind = Primitive(Type::Boolean);
const ENUMERATED: Kind = Primitive(Type::Enumerated);

/// Constructed data that holds application tags alone, or tags that are not told here.
pub static PLAIN: Production = Production(&[]);

/// BACnetTimeStamp.
static TIME_STAMP: Production =
    Production(&[(0, "time", Primitive(Type::Time)), (1, "sequence", UNSIGNED), (2, "", Nested(&PLAIN))]);

/// BACnetRecipient, and BACnetDestination, whose other fields have application tags.
static RECIPIENT: Production = Production(&[(0, "", OBJECT), (1, "address", Nested(&PLAIN))]);

/// BACnetRecipientProcess.
static RECIPIENT_PROCESS: Production = Production(&[(0, "recipient", Nested(&RECIPIENT)), (1, "process", UNSIGNED)]);

/// BACnetObjectPropertyReference and BACnetDeviceObjectPropertyReference.
static PROPERTY_REFERENCE: Production =
    Production(&[(0, "", OBJECT), (1, "", Property), (2, "index", UNSIGNED), (3, "of", OBJECT)]);

/// BACnetSetpointReference.
static SETPOINT_REFERENCE: Production = Production(&[(0, "", Nested(&PROPERTY_REFERENCE))]);

/// BACnetDeviceObjectReference.
static OBJECT_REFERENCE: Production = Production(&[(0, "of", OBJECT), (1, "", OBJECT)]);

/// BACnetCOVSubscription.
static COV_SUBSCRIPTION: Production = Production(&[
    (0, "recipient", Nested(&RECIPIENT_PROCESS)),
    (1, "monitored", Nested(&PROPERTY_REFERENCE)),
    (2, "confirmed", BOOLEAN),
    (3, "remaining", UNSIGNED),
    (4, "increment", REAL),
]);

/// BACnetCalendarEntry. A BACnetWeekNDay is an octet string of month, week and day.
static CALENDAR_ENTRY: Production =
    Production(&[(0, "date", Primitive(Type::Date)), (1, "range", Nested(&PLAIN)), (2, "week-n-day", OCTETS)]);

/// BACnetDailySchedule.
static DAILY_SCHEDULE: Production = Production(&[(0, "day", Nested(&PLAIN))]);

/// BACnetSpecialEvent.
static SPECIAL_EVENT: Production = Production(&[
    (0, "entry", Nested(&CALENDAR_ENTRY)),
    (1, "calendar", OBJECT),
    (2, "values", Nested(&PLAIN)),
    (3, "priority", UNSIGNED),
]);

/// BACnetLogRecord: its datum is a choice.
static LOG_RECORD: Production =
    Production(&[(0, "timestamp", Nested(&PLAIN)), (1, "datum", Nested(&LOG_DATUM)), (2, "status-flags", BITS)]);

static LOG_DATUM: Production = Production(&[
    (0, "log-status", BITS),
    (1, "boolean", BOOLEAN),
    (2, "real", REAL),
    (3, "enumerated", ENUMERATED),
    (4, "unsigned", UNSIGNED),
    (5, "integer", Primitive(Type::Signed)),
    (6, "bitstring", BITS),
    (7, "null", Primitive(Type::Null)),
    (8, "failure", Nested(&PLAIN)),
    (9, "time-change", REAL),
    (10, "any", Nested(&PLAIN)),
]);

/// BACnetHostNPort; an address is an octet string.
static HOST_N_PORT: Production = Production(&[(0, "host", Nested(&HOST)), (1, "port", UNSIGNED)]);

static HOST: Production = Production(&[(0, "none", Primitive(Type::Null)), (1, "ip", OCTETS), (2, "name", WORDS)]);

/// BACnetBDTEntry.
static BDT_ENTRY: Production = Production(&[(0, "bbmd", Nested(&HOST_N_PORT)), (1, "mask", OCTETS)]);

/// BACnetFDTEntry.
static FDT_ENTRY: Production =
    Production(&[(0, "address", OCTETS), (1, "time-to-live", UNSIGNED), (2, "remaining", UNSIGNED)]);

/// BACnetRouterEntry.
static ROUTER_ENTRY: Production = Production(&[
    (0, "network", UNSIGNED),
    (1, "mac", OCTETS),
    (2, "status", ENUMERATED),
    (3, "performance", UNSIGNED),
]);

/// BACnetNameValue.
static NAME_VALUE: Production = Production(&[(0, "name", WORDS)]);

/// Notification parameters (BACnetNotificationParameters) of the event types that report numbers or states.
static NOTIFICATION_PARAMETERS: Production = Production(&[
    (0, "change-of-bitstring", Nested(&Production(&[(0, "referenced-bitstring", BITS), (1, "status-flags", BITS)]))),
    (
        1,
        "change-of-state",
        Nested(&Production(&[(0, "new-state", Nested(&PROPERTY_STATES)), (1, "status-flags", BITS)])),
    ),
    (
        2,
        "change-of-value",
        Nested(&Production(&[
            (0, "new-value", Nested(&Production(&[(0, "changed-bits", BITS), (1, "changed-value", REAL)]))),
            (1, "status-flags", BITS),
        ])),
    ),
    (3, "command-failure", Nested(&COMMAND_FAILURE)),
    (
        4,
        "floating-limit",
        Nested(&Production(&[
            (0, "reference-value", REAL),
            (1, "status-flags", BITS),
            (2, "setpoint-value", REAL),
            (3, "error-limit", REAL),
        ])),
    ),
    (5, "out-of-range", Nested(&OUT_OF_RANGE)),
    (
        8,
        "change-of-life-safety",
        Nested(&Production(&[
            (0, "new-state", ENUMERATED),
            (1, "new-mode", ENUMERATED),
            (2, "status-flags", BITS),
            (3, "operation-expected", ENUMERATED),
        ])),
    ),
    (
        10,
        "buffer-ready",
        Nested(&Production(&[
            (0, "buffer-property", Nested(&PROPERTY_REFERENCE)),
            (1, "previous-notification", UNSIGNED),
            (2, "current-notification", UNSIGNED),
        ])),
    ),
    (
        11,
        "unsigned-range",
        Nested(&Production(&[
            (0, "exceeding-value", UNSIGNED),
            (1, "status-flags", BITS),
            (2, "exceeded-limit", UNSIGNED),
        ])),
    ),
    (
        17,
        "change-of-characterstring",
        Nested(&Production(&[(0, "changed-value", WORDS), (1, "status-flags", BITS), (2, "alarm-value", WORDS)])),
    ),
    (
        19,
        "change-of-reliability",
        Nested(&Production(&[
            (0, "reliability", ENUMERATED),
            (1, "status-flags", BITS),
            (2, "values", Nested(&PLAIN)),
        ])),
    ),
]);

static OUT_OF_RANGE: Production = Production(&[
    (0, "exceeding-value", REAL),
    (1, "status-flags", BITS),
    (2, "deadband", REAL),
    (3, "exceeded-limit", REAL),
]);

static COMMAND_FAILURE: Production = Production(&[
    (0, "command-value", Nested(&PLAIN)),
    (1, "status-flags", BITS),
    (2, "feedback-value", Nested(&PLAIN)),
]);

/// BACnetPropertyStates: the choices that are neither enumerated nor named here keep their octets.
static PROPERTY_STATES: Production = Production(&[
    (0, "boolean", BOOLEAN),
    (1, "binary", ENUMERATED),
    (2, "event-type", ENUMERATED),
    (3, "polarity", ENUMERATED),
    (4, "program-change", ENUMERATED),
    (5, "program-state", ENUMERATED),
    (6, "reason-for-halt", ENUMERATED),
    (7, "reliability", ENUMERATED),
    (8, "state", ENUMERATED),
    (9, "system-status", ENUMERATED),
    (10, "units", ENUMERATED),
    (11, "unsigned", UNSIGNED),
    (12, "life-safety-mode", ENUMERATED),
    (13, "life-safety-state", ENUMERATED),
]);

/// The productions by the `kind` of a property in the table.
const PRODUCTIONS: &[(&str, &Production)] = &[
    ("bdt-entry", &BDT_ENTRY),
    ("calendar-entry", &CALENDAR_ENTRY),
    ("cov-subscription", &COV_SUBSCRIPTION),
    ("daily-schedule", &DAILY_SCHEDULE),
    ("fdt-entry", &FDT_ENTRY),
    ("host-n-port", &HOST_N_PORT),
    ("log-record", &LOG_RECORD),
    ("name-value", &NAME_VALUE),
    ("notification-parameters", &NOTIFICATION_PARAMETERS),
    ("object-reference", &OBJECT_REFERENCE),
    ("property-reference", &PROPERTY_REFERENCE),
    ("recipient", &RECIPIENT),
    ("router-entry", &ROUTER_ENTRY),
    ("setpoint-reference", &SETPOINT_REFERENCE),
    ("special-event", &SPECIAL_EVENT),
    ("time-stamp", &TIME_STAMP),
];

/// The production of this name; one without fields where there is none.
pub fn named(name: &str) -> &'static Production {
    if name.is_empty() {
        return &PLAIN;
    }
    PRODUCTIONS.iter().find(|(other, _)| *other == name).map_or(&PLAIN, |(_, production)| production)
}

/// Writes the elements of a value into the numbers and words of a message, within bounds.
pub struct Writer<'m> {
    values: &'m mut Vec<f64>,
    text: &'m mut String,
    first_value: usize,
    first_text: usize,
    /// Productions of the constructed data that is open, the property's own first, and how many they are.
    open: [&'static Production; MAX_NESTING + 1],
    depth: usize,
    /// True where numbers are written as words too, because they stand among other data.
    needs_words: bool,
    /// True where the next element is the first of what is open.
    is_first: bool,
}

impl<'m> Writer<'m> {
    /// A writer that appends a value of this production.
    pub fn new(
        values: &'m mut Vec<f64>,
        text: &'m mut String,
        production: &'static Production,
        needs_words: bool,
    ) -> Self {
        let (first_value, first_text) = (values.len(), text.len());
        let open = [production; MAX_NESTING + 1];
        Writer { values, text, first_value, first_text, open, depth: 0, needs_words, is_first: true }
    }

    /// Takes the next element.
    pub fn push(&mut self, element: Element<'_>) {
        match element {
            Element::Value(value) => self.primitive("", value),
            Element::Context(number, octets) => self.context(number, octets),
            Element::Open(number) => {
                let (name, inner) = match self.field(number) {
                    Some((_, name, Nested(production))) => (name, production),
                    Some((_, name, _)) => (name, &PLAIN),
                    None => ("", &PLAIN),
                };
                if self.has_room() {
                    self.name(number, name, true);
                    self.text.push('{');
                }
                self.is_first = true;
                self.depth += 1;
                if let Some(open) = self.open.get_mut(self.depth) {
                    *open = inner;
                }
            }
            Element::Close => {
                self.depth = self.depth.saturating_sub(1);
                if self.has_room() {
                    self.text.push('}');
                }
                self.is_first = false;
            }
        }
    }

    fn field(&self, number: u8) -> Option<Field> {
        let production = self.open.get(self.depth)?;
        production.0.iter().find(|(tag, ..)| *tag == number).copied()
    }

    fn context(&mut self, number: u8, octets: &[u8]) {
        let typed = match self.field(number) {
            Some((_, name, Primitive(of))) => Value::from_octets(of, octets).map(|value| (name, value)),
            Some((_, name, Property)) => {
                let identifier = Value::from_octets(Type::Enumerated, octets);
                if let (Some(Value::Enumerated(code)), true) = (identifier, self.has_room()) {
                    self.name(number, name, false);
                    push_code(tables::bacnet::PROPERTIES, code, self.text);
                    return;
                }
                None
            }
            _ => None,
        };
        if let Some((name, value)) = typed {
            return self.primitive(name, value);
        }
        if self.has_room() {
            self.name(number, "", true);
            for octet in octets.iter().take(MAX_OCTETS) {
                let _ = write!(self.text, "{octet:02x}");
            }
            if octets.len() > MAX_OCTETS {
                self.text.push('…');
            }
        }
    }

    fn primitive(&mut self, name: &'static str, value: Value<'_>) {
        let number = value.number();
        if let Some(number) = number
            && self.values.len() - self.first_value < MAX_VALUES
        {
            self.values.push(number);
        }
        if (number.is_none() || self.needs_words) && self.has_room() {
            self.separate();
            if !name.is_empty() {
                self.text.push_str(name);
                self.text.push(' ');
            }
            value.write_any(self.text);
        }
    }

    fn name(&mut self, number: u8, name: &str, number_if_unnamed: bool) {
        self.separate();
        match name {
            "" if number_if_unnamed => drop(write!(self.text, "[{number}] ")),
            "" => {}
            _ => drop(write!(self.text, "{name} ")),
        }
    }

    fn separate(&mut self) {
        if !std::mem::replace(&mut self.is_first, false) {
            self.text.push_str(", ");
        }
    }

    fn has_room(&self) -> bool {
        self.text.len() - self.first_text < MAX_TEXT
    }
}

/// Name of a code, or its number.
pub fn push_code(table: &'static [tables::Code], code: u32, text: &mut String) {
    match tables::name(table, code) {
        "" => drop(write!(text, "{code}")),
        name => text.push_str(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_the_table_is_a_production_and_every_production_is_used() {
        let kinds: Vec<_> = tables::bacnet::PROPERTIES.iter().map(|code| code.kind).collect();
        let known =
            |kind: &&str| kind.is_empty() || *kind == "secret" || PRODUCTIONS.iter().any(|(name, _)| name == kind);
        assert_eq!(kinds.iter().filter(|kind| !known(kind)).collect::<Vec<_>>(), Vec::<&&str>::new());
        let of_services = ["notification-parameters", "recipient"];
        for (name, _) in PRODUCTIONS {
            assert!(kinds.contains(name) || of_services.contains(name), "{name}");
        }
    }
}
