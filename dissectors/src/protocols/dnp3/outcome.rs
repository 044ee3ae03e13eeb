//! What became of a request: refusals, and controls that are answered as they were asked.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::model::{Message, Object};
use crate::tables::{self, Code, dnp3 as codes};

/// Why a request was not carried out, or not in all its parts: code and name of the first refusal. The code is a
/// control, file or authentication status; an internal indication has a name only, its bits are told elsewhere.
pub(super) fn refusal(message: &Message) -> Option<(Option<u16>, &'static str)> {
    let of_object = |object: &Object| {
        let status = object.status.filter(|status| *status != 0)?;
        Some((Some(status), tables::name(statuses(object)?, status.into())))
    };
    message.objects.iter().find_map(of_object).or_else(|| {
        let indications = message.indications.filter(|_| message.objects.is_empty())?;
        let refused = |code: &&Code| code.kind == "refusal" && indications >> code.code & 1 == 1;
        codes::INDICATIONS.iter().find(refused).map(|code| (None, code.name))
    })
}

/// The statuses of an object by which it answers; none where its status is that of a point.
fn statuses(object: &Object) -> Option<&'static [Code]> {
    Some(match (object.type_number?, object.variation?) {
        (12 | 41, _) => codes::CONTROL_STATUS,
        (70, 4 | 6) => codes::FILE_STATUS,
        (120, 7) => codes::AUTHENTICATION_ERRORS,
        _ => return None,
    })
}

/// What the controls of a message ask for, their statuses left out: a response repeats it (4.4.4). None without any.
pub(super) fn controls(message: &Message) -> Option<u64> {
    let mut hasher = DefaultHasher::new(); // Its keys are fixed.
    let mut any = false;
    for object in message.objects.iter().filter(|object| matches!(object.type_number, Some(12 | 41))) {
        any = true;
        (object.type_number, object.variation, object.start, object.count).hash(&mut hasher);
        message.text_of(object).hash(&mut hasher);
        message.values_of(object).iter().for_each(|value| value.to_bits().hash(&mut hasher));
    }
    any.then(|| hasher.finish())
}
