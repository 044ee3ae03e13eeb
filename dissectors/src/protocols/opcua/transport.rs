//! The messages of the connection itself (OPC 10000-6, 7.1.2): hello and its answer, errors, and a server that calls its
//! client.

use super::draft::Draft;
use super::header::{HEADER, letter};
use super::reader::{Read, Reader};
use super::{Opcua, keys};
use crate::bytes::printable;
use crate::model::{Kind, Object, Operation, Pairing};
use crate::session::{Chunk, Output};
use crate::tables::{self, opcua as codes};

impl Opcua {
    /// Decodes one of them.
    pub(super) fn transport(&mut self, chunk: Chunk<'_>, kind: u8, out: &mut Output) {
        let Chunk { bytes, wire_length: wire, direction } = chunk;
        let mut draft = Draft::new(out, wire, chunk.is_whole());
        draft.at = HEADER;
        draft.message.message_type = Some(kind);
        draft.message.name = tables::name(codes::MESSAGE_TYPES, kind.into());
        draft.message.operation = Operation::Session;
        let mut reader = Reader::new(bytes.get(HEADER..).unwrap_or(&[]));
        let message = &mut draft.message;
        let answers = Pairing::Answers { key: keys::HELLO, last: true };
        match kind {
            letter::HELLO => {
                (message.kind, message.pairing) = (Kind::Request, Pairing::Opens(keys::HELLO));
                (self.client, self.greeting) = (Some(direction), Some(direction));
            }
            letter::ACKNOWLEDGE => {
                (message.kind, message.pairing) = (Kind::Response, answers);
                (self.client, self.greeting) = (Some(direction.opposite()), None);
            }
            letter::REVERSE => {
                (message.kind, message.pairing) = (Kind::Unsolicited, Pairing::Alone);
                self.client = Some(direction.opposite());
            }
            _ => {
                let refuses = self.greeting.take() == Some(direction.opposite());
                (message.kind, message.pairing) = (Kind::Error, if refuses { answers } else { Pairing::Alone });
            }
        }
        message.from_client = self.is_client(direction);
        let result = read(kind, &mut reader, &mut draft);
        draft.faulty(result);
        draft.finish(out);
    }
}

fn read(kind: u8, reader: &mut Reader<'_>, draft: &mut Draft) -> Read<()> {
    match kind {
        letter::HELLO => {
            reader.take(20, "version and sizes")?;
            let url = printable(reader.string("endpoint URL")?);
            draft.object(Object { kind: "endpoint", ..Object::default() }, &url);
            Ok(())
        }
        letter::ACKNOWLEDGE => reader.take(20, "version and sizes").map(drop),
        letter::REVERSE => {
            let server = printable(reader.string("server URI")?);
            let url = printable(reader.string("endpoint URL")?);
            draft.object(Object { kind: "endpoint", ..Object::default() }, format!("{server} {url}").trim());
            Ok(())
        }
        _ => {
            let status = reader.u32("error")?;
            draft.result(status);
            draft.message.kind = Kind::Error;
            let reason = printable(reader.string("reason")?);
            if !reason.is_empty() {
                draft.object(Object { kind: "reason", ..Object::default() }, &reason);
            }
            Ok(())
        }
    }
}
