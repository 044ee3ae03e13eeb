//! What is called over one connection, or over one named pipe.

use std::collections::VecDeque;

use super::answers;
use super::pdu::{self, Body, HEADER, Header, Interface, kind};
use crate::activity::{Activity, Field};
use crate::exchange::Status;
use crate::holds::{holds, holds_nothing};
use crate::model::Operation;
use crate::protocols::gss::Login;
use crate::session::{Direction, Output};
use crate::tables::{self, dce_rpc};

/// Contexts of one connection.
const MAX_CONTEXTS: usize = 64;
/// Calls that wait for their answer.
const MAX_CALLS: usize = 64;

/// The client asks for interfaces.
#[derive(Clone)]
struct Bind {
    client: Direction,
    frame: u64,
    asked: Vec<(u16, Interface)>,
}

#[derive(Clone)]
struct Call {
    id: u32,
    client: Direction,
    frame: u64,
    interface: Option<Interface>,
    operation: u16,
}

/// One connection.
#[derive(Clone, Default)]
pub struct Connection {
    /// Name of the pipe; empty over TCP.
    endpoint: String,
    contexts: Vec<(u16, Interface)>,
    bind: Option<Bind>,
    calls: VecDeque<Call>,
    login: Login,
    /// A login of which the outcome is not known yet.
    logon: Option<(Direction, u64)>,
}

holds_nothing!(Interface, Call);
holds! {
    Bind { asked }
    Connection { endpoint, contexts, bind, calls, login }
    Pipe { connection }
}

impl Connection {
    /// A connection over a pipe of this name.
    pub fn over(endpoint: &str) -> Self {
        Connection { endpoint: endpoint.to_string(), ..Connection::default() }
    }

    /// Takes a unit, of which the end may be missing.
    pub fn unit(&mut self, bytes: &[u8], direction: Direction, out: &mut Output) {
        let Some(header) = pdu::header(bytes) else { return };
        let bytes = &bytes[..bytes.len().min(header.length)];
        let verifier = pdu::verifier(&header, bytes);
        if let (true, Some(verifier)) = (header.is_opening(), verifier) {
            self.token(&header, verifier.token, direction, out);
        }
        let Ok(body) = pdu::body(&header, bytes) else { return };
        match body {
            Body::Bind(asked) => {
                if let Some(bind) = self.bind.take() {
                    self.bound(bind, Status::NoResponse, "", out);
                }
                self.bind = Some(Bind { client: direction, frame: out.frame, asked });
            }
            Body::Answer(results) => self.answer(&results, out),
            Body::Refusal(reason) => {
                if let Some(bind) = self.bind.take() {
                    let reason = tables::name(dce_rpc::REFUSALS, u32::from(reason));
                    self.bound(bind, Status::Error, reason, out);
                }
                self.logon(Status::Error, "", out);
            }
            Body::Request(context, operation) if header.is_first() => {
                if self.calls.len() >= MAX_CALLS {
                    self.give_up(out);
                }
                let interface = self.interface(context);
                let (id, frame) = (header.call, out.frame);
                self.calls.push_back(Call { id, client: direction, frame, interface, operation });
            }
            Body::Response(_, stub) if header.is_first() => {
                self.logon(Status::Ok, "", out);
                let stub = if verifier.is_some_and(|verifier| verifier.is_sealed) { &[][..] } else { stub };
                self.returned(&header, direction, stub, out);
            }
            Body::Fault(status) => {
                let name = match tables::name(dce_rpc::FAULTS, status) {
                    "" => format!("{status:#010x}"),
                    name => name.to_string(),
                };
                let is_denied = status == 5;
                self.logon(if is_denied { Status::Error } else { Status::Ok }, if is_denied { &name } else { "" }, out);
                if let Some(call) = self.called(&header, direction) {
                    self.tell(&call, Status::Error, &name, out);
                }
            }
            Body::Request(..) | Body::Response(..) | Body::Other => {}
        }
    }

    /// The connection ends.
    pub fn close(&mut self, out: &mut Output) {
        if let Some(bind) = self.bind.take() {
            self.bound(bind, Status::NoResponse, "", out);
        }
        self.logon(Status::OneWay, "", out);
        while !self.calls.is_empty() {
            self.give_up(out);
        }
    }

    fn interface(&self, context: u16) -> Option<Interface> {
        self.contexts.iter().rev().find(|(id, _)| *id == context).map(|(_, interface)| *interface)
    }

    /// Who logs in is said last by the client: then the outcome is awaited. Another login may follow, for other interfaces.
    fn token(&mut self, header: &Header, token: &[u8], direction: Direction, out: &mut Output) {
        let mut login = self.login.clone();
        login.token(token, out);
        let is_other = (login.mechanism, &login.user) != (self.login.mechanism, &self.login.user);
        let is_asked = is_other && !matches!(header.kind, kind::BIND_ACK | kind::ALTER_RESPONSE);
        if is_asked {
            self.logon(Status::OneWay, "", out);
        }
        self.login = login;
        if is_asked {
            self.logon = Some((direction, out.frame));
        }
    }

    fn logon(&mut self, status: Status, code: &str, out: &mut Output) {
        if let Some((client, frame)) = self.logon.take() {
            let mut activity = Activity::new(client, "logon", Operation::Authenticate).ended(status, code);
            self.login.put(&mut activity);
            activity.put(Field::DceRpcEndpoint, &*self.endpoint);
            out.activity(Activity { request_frame: Some(frame), ..activity });
        }
    }

    fn answer(&mut self, results: &[(u16, u16)], out: &mut Output) {
        let Some(bind) = self.bind.take() else { return };
        let mut reason = None;
        for (context, (result, why)) in bind.asked.iter().zip(results) {
            if *result == 0 {
                self.contexts.retain(|(id, _)| *id != context.0);
                if self.contexts.len() < MAX_CONTEXTS {
                    self.contexts.push(*context);
                }
            } else {
                reason = Some(*why);
            }
        }
        let is_bound = results.iter().any(|(result, _)| *result == 0);
        let code = if is_bound { None } else { reason };
        let code = code.map_or("", |reason| tables::name(dce_rpc::REASONS, u32::from(reason)));
        self.bound(bind, if is_bound { Status::Ok } else { Status::Error }, code, out);
    }

    fn bound(&self, bind: Bind, status: Status, code: &str, out: &mut Output) {
        let mut activity = Activity::new(bind.client, "bind", Operation::Session).ended(status, code);
        let mut told: Vec<Interface> = Vec::new();
        for (_, interface) in bind.asked {
            if !told.contains(&interface) {
                activity.put(Field::DceRpcInterface, interface.name());
                told.push(interface);
            }
        }
        activity.put(Field::DceRpcEndpoint, &*self.endpoint);
        out.activity(Activity { request_frame: Some(bind.frame), ..activity });
    }

    fn called(&mut self, header: &Header, direction: Direction) -> Option<Call> {
        let is_it = |call: &Call| call.id == header.call && call.client == direction.opposite();
        let place = self.calls.iter().position(is_it)?;
        self.calls.remove(place)
    }

    fn returned(&mut self, header: &Header, direction: Direction, stub: &[u8], out: &mut Output) {
        let Some(call) = self.called(header, direction) else { return };
        let mut activity = self.activity(&call);
        if let Some(interface) = call.interface {
            answers::tell(&interface, call.operation, stub, &mut activity, out);
        }
        out.activity(activity.ended(Status::Ok, ""));
    }

    fn tell(&self, call: &Call, status: Status, code: &str, out: &mut Output) {
        out.activity(self.activity(call).ended(status, code));
    }

    fn activity(&self, call: &Call) -> Activity {
        let known = call.interface.and_then(|interface| interface.operation(call.operation));
        let operation = known.and_then(|code| code.operation).unwrap_or(Operation::Unknown);
        let mut activity = Activity::new(call.client, "call", operation);
        activity.put(Field::DceRpcInterface, call.interface.map_or_else(String::new, |interface| interface.name()));
        activity.put(
            Field::DceRpcOperation,
            known.map_or_else(|| format!("operation {}", call.operation), |code| code.name.to_string()),
        );
        activity.put(Field::DceRpcEndpoint, &*self.endpoint);
        activity.put(Field::UserName, &*self.login.user);
        Activity { request_frame: Some(call.frame), ..activity }
    }

    /// The call open longest was not answered.
    fn give_up(&mut self, out: &mut Output) {
        if let Some(call) = self.calls.pop_front() {
            self.tell(&call, Status::NoResponse, "", out);
        }
    }
}

/// A named pipe: units one after the other, in what is written and read.
#[derive(Clone, Default)]
pub struct Pipe {
    connection: Connection,
    /// Octets of either way that belong to a unit whose head was read.
    skip: [usize; 2],
}

impl Pipe {
    /// A pipe of this name.
    pub fn new(name: &str) -> Self {
        Pipe { connection: Connection::over(name), skip: [0; 2] }
    }

    /// Takes octets of one way, of which the end may be missing, and how many they are in all.
    pub fn octets(&mut self, mut bytes: &[u8], mut whole: usize, direction: Direction, out: &mut Output) {
        let side = direction as usize;
        loop {
            let passed = self.skip[side].min(whole);
            self.skip[side] -= passed;
            whole -= passed;
            bytes = bytes.get(passed..).unwrap_or_default();
            if bytes.len() < HEADER {
                return;
            }
            let Some(header) = pdu::header(bytes) else { return };
            self.connection.unit(&bytes[..bytes.len().min(header.length)], direction, out);
            self.skip[side] = header.length;
        }
    }

    /// The pipe is closed.
    pub fn close(&mut self, out: &mut Output) {
        self.connection.close(out);
    }
}
