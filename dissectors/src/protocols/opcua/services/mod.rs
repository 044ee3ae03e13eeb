//! The services (OPC 10000-4, clause 5): what is behind the header of a request or an answer.

mod discovery;
mod management;
mod monitoring;
mod session;
mod subscription;
mod variables;
mod view;

use super::Protection;
use super::draft::Draft;
use super::memory::{Key, Memory, Question};
use super::reader::{Read, Reader};

pub(super) use session::{certificate, security_policy};

/// What a service is decoded with.
pub(super) struct Context<'c> {
    /// The message.
    pub(super) draft: &'c mut Draft,
    /// What the connection remembers.
    pub(super) memory: &'c mut Memory,
    /// What the answer answers.
    pub(super) asked: Question,
    /// Way and id of the message.
    pub(super) key: Key,
    /// How the channel is protected.
    pub(super) protection: Protection,
}

/// Reads what is behind the header.
type Decode = fn(&mut Reader<'_>, &mut Context<'_>) -> Read<()>;

/// How a service is read; none of one that is not known, or has nothing behind its header.
pub(super) fn decoder(name: &str, asks: bool) -> Option<Decode> {
    Some(match (name, asks) {
        ("find_servers", true) => discovery::find_servers,
        ("find_servers", false) => discovery::servers,
        ("find_servers_on_network", true) => discovery::find_on_network,
        ("find_servers_on_network", false) => discovery::on_network,
        ("get_endpoints", true) => discovery::get_endpoints,
        ("get_endpoints", false) => discovery::endpoints,
        ("register_server", true) => discovery::register,
        ("register_server2", true) => discovery::register_2,
        ("register_server2", false) => results,
        ("open_secure_channel", true) => session::open,
        ("open_secure_channel", false) => session::opened,
        ("create_session", true) => session::create,
        ("create_session", false) => session::created,
        ("activate_session", true) => session::activate,
        ("activate_session", false) => session::activated,
        ("close_session", true) => session::close,
        ("cancel", _) => session::cancel,
        ("add_nodes", true) => management::add_nodes,
        ("add_nodes", false) => management::added,
        ("add_references", true) => management::add_references,
        ("delete_nodes", true) => management::delete_nodes,
        ("delete_references", true) => management::delete_references,
        ("add_references" | "delete_nodes" | "delete_references", false) => results,
        ("browse", true) => view::browse,
        ("browse_next", true) => view::browse_next,
        ("browse" | "browse_next", false) => view::browsed,
        ("translate_browse_paths_to_node_ids", true) => view::translate,
        ("translate_browse_paths_to_node_ids", false) => view::translated,
        ("register_nodes" | "unregister_nodes", true) => view::register,
        ("register_nodes", false) => view::registered,
        ("read", true) => variables::read,
        ("read", false) => variables::values,
        ("write", true) => variables::write,
        ("write", false) => results,
        ("history_read", true) => variables::read_history,
        ("history_read", false) => variables::history,
        ("history_update", true) => variables::update_history,
        ("history_update", false) => variables::updated,
        ("call", true) => management::call,
        ("call", false) => management::called,
        ("create_monitored_items", true) => monitoring::create,
        ("create_monitored_items", false) => monitoring::created,
        ("modify_monitored_items", true) => monitoring::modify,
        ("modify_monitored_items", false) => monitoring::modified,
        ("set_monitoring_mode", true) => monitoring::set_mode,
        ("delete_monitored_items", true) => monitoring::delete,
        ("set_monitoring_mode" | "delete_monitored_items", false) => results,
        ("set_triggering", true) => monitoring::trigger,
        ("set_triggering", false) => monitoring::triggered,
        ("create_subscription", true) => subscription::create,
        ("create_subscription", false) => subscription::created,
        ("modify_subscription", true) => subscription::modify,
        ("modify_subscription", false) => subscription::modified,
        ("set_publishing_mode", true) => subscription::set_mode,
        ("delete_subscriptions", true) => subscription::delete,
        ("set_publishing_mode" | "delete_subscriptions", false) => results,
        ("publish", true) => subscription::publish,
        ("publish", false) => subscription::published,
        ("republish", true) => subscription::republish,
        ("republish", false) => subscription::republished,
        ("transfer_subscriptions", true) => subscription::transfer,
        ("transfer_subscriptions", false) => subscription::transferred,
        _ => return None,
    })
}

/// What became of each node that was asked about: statuses, then diagnostics.
fn results(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let mut failed = Vec::new();
    for index in 0..reader.elements("results")? {
        let status = reader.u32("result")?;
        failed.push(status);
        context.answered(index, status, [], "");
    }
    context.draft.all_failed(&failed);
    reader.diagnostic_infos("diagnostics")
}

impl Context<'_> {
    /// Tells what was answered about one of the nodes that were asked about.
    fn answered(&mut self, index: usize, status: u32, numbers: impl IntoIterator<Item = f64>, text: &str) {
        let Some(point) = self.asked.points.get(index) else { return };
        let object = crate::model::Object { status: super::draft::status_of(status), ..point.object() };
        self.draft.named(object, &point.name, numbers, text);
    }

    /// Remembers what a request asked for.
    fn asks(&mut self, question: Question) {
        self.memory.ask(self.key, question);
    }
}
