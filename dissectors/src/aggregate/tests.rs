use super::*;
use crate::net::tcp::Stamp;

fn combination(start: u32) -> Combination {
    Combination {
        edge: 0,
        function: Some(3),
        function_name: 0,
        operation: Operation::Read,
        kind: Kind::Request,
        status: Status::Ok,
        subject: Subject { kind: 1, start: Some(start), count: 2, property: None, property_name: 0 },
        coalesced: false,
    }
}

fn stamp(seconds: i64) -> Stamp {
    Stamp { frame: 1, time: seconds * 1_000_000_000, capture: 0 }
}

fn exchange(seconds: i64) -> Exchange {
    let start = stamp(seconds);
    Exchange {
        request: Some(Box::default()),
        response: None,
        direction: Direction::Forward,
        request_frames: Default::default(),
        response_frames: Default::default(),
        response_capture: NONE,
        start,
        end_time: start.time,
        status: Status::Ok,
    }
}

fn place() -> Conversation {
    Conversation {
        source: 0,
        protocol: Protocol::Modbus,
        transport: "tcp",
        addresses: [1, 2],
        ports: [40_000, 502],
        vlan: None,
    }
}

/// A ledger that knows the one edge.
fn ledger(recent: &mut Recent) -> Ledger {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.edge(recent, &place(), &exchange(0), &Message::default(), &mut Dictionaries::default()), 0);
    ledger
}

#[test]
fn what_was_counted_lately_is_found_again_as_by_a_search() {
    let mut recent = Recent::default();
    let mut ledger = ledger(&mut recent);
    let starts = [1, 2, 3, 1, 4, 5, 6, 1, 2, 6, 6, 3, 5, 4, 1, 2, 3, 4, 5, 6, 1, 2, 3];
    let words = &mut Dictionaries::default();
    let found: Vec<_> = starts.iter().map(|&start| ledger.slot(&mut recent, &combination(start), words)).collect();
    for (at, (start, (slot, new))) in starts.iter().zip(&found).enumerate() {
        assert_eq!(*slot, start - 1, "the {at}th");
        assert_eq!(*new, !starts[..at].contains(start), "the {at}th");
    }
}

#[test]
fn too_many_combinations_of_an_edge_become_a_range() {
    let mut recent = Recent::default();
    let (mut ledger, mut dictionaries) = (ledger(&mut recent), Dictionaries::default());
    for start in 0..=MAX_PER_EDGE + 7 {
        let combination = combination(start);
        let (slot, _) = ledger.slot(&mut recent, &combination, &mut dictionaries);
        ledger.turn(slot, stamp(0));
        ledger.count(slot, stamp(0), &Reading::NONE, combination.subject, true);
    }
    let rows = ledger.finish(&mut dictionaries);
    let coalesced: Vec<_> = rows.iter().filter(|row| row.coalesced).collect();
    assert_eq!((rows.len() as u32, coalesced.len(), ledger.coalesced), (MAX_PER_EDGE + 1, 1, 8));
    let [range] = coalesced[..] else { panic!() };
    assert_eq!((range.object_start, range.object_count, range.count), (Some(MAX_PER_EDGE), 9, 8));
}

#[test]
fn too_many_combinations_in_all_are_told_by_kind_then_by_edge_then_together() {
    let (mut ledger, mut dictionaries) = (Ledger::default(), Dictionaries::default());
    let functions = u32::from(u16::MAX);
    let most = MAX_COMBINATIONS + 2 * MAX_FOLDED;
    for number in 0..most as u32 + 2 * functions {
        // Edge by edge, function by function: nothing is asked twice.
        let (unit, function) = (number / MAX_PER_EDGE, number % MAX_PER_EDGE);
        let lead = Message { destination_unit: Unit::Number(unit), ..Message::default() };
        let mut recent = Recent::default();
        let edge = ledger.edge(&mut recent, &place(), &exchange(0), &lead, &mut dictionaries);
        let combination = Combination { edge, function: Some(function as u16), ..combination(number) };
        let (slot, new) = ledger.slot(&mut recent, &combination, &mut dictionaries);
        assert_eq!(ledger.slot(&mut recent, &combination, &mut dictionaries), (slot, false), "found again");
        let of = ledger.accounts[slot as usize].combination;
        let told = (of.subject.start.is_some(), of.function.is_some(), of.edge == edge);
        let expected = match number as usize {
            ..MAX_COMBINATIONS => (true, true, true),
            number if number < MAX_COMBINATIONS + MAX_FOLDED => (false, true, true),
            _ if told.2 => (false, false, true),
            _ => (false, false, false),
        };
        assert_eq!(told, expected, "the {number}th");
        assert!(new || number as usize >= MAX_COMBINATIONS + MAX_FOLDED, "the {number}th");
        assert_eq!((of.kind, of.status, of.operation), (combination.kind, combination.status, combination.operation));
    }
    let edges = ledger.edges.len();
    assert!(ledger.accounts.len() <= MAX_COMBINATIONS + MAX_FOLDED + edges, "{}", ledger.accounts.len());
}

#[test]
fn however_many_edges_ask_for_however_much_the_accounts_have_an_end() {
    let (mut ledger, mut dictionaries) = (Ledger::default(), Dictionaries::default());
    let statuses = Status::ALL;
    let most = (MAX_COMBINATIONS + 2 * MAX_FOLDED) as u32;
    for number in 0..2 * most {
        let lead = Message { destination_unit: Unit::Number(number % 8_000), ..Message::default() };
        let mut recent = Recent::default();
        let edge = ledger.edge(&mut recent, &place(), &exchange(0), &lead, &mut dictionaries);
        let status = statuses[(number / 8_000) as usize % statuses.len()];
        let function = Some((number / 8_000) as u16);
        let combination = Combination { edge, function, status, ..combination(number) };
        ledger.slot(&mut recent, &combination, &mut dictionaries);
    }
    let together = ledger.accounts.len() - most as usize;
    assert!((1..=statuses.len()).contains(&together), "{together} beyond the bound");
    let last = ledger.edge_of(ledger.accounts[ledger.accounts.len() - 1].combination.edge);
    let everyone = dictionaries.addresses.fixed(EVERYONE);
    assert_eq!((last.client, last.server, last.server_port), (everyone, everyone, 0));
}

#[test]
fn values_that_are_no_finite_number_are_told() {
    /// Values, their least and greatest, and whether one is told to be no finite number.
    type Case<'a> = (&'a [f64], Option<f64>, Option<f64>, bool);
    let cases: &[Case<'_>] = &[
        (&[5.0, 7.0], Some(5.0), Some(7.0), false),
        (&[5.0, f64::INFINITY], Some(5.0), Some(5.0), true),
        (&[f64::NAN, -2.0], Some(-2.0), Some(-2.0), true),
        (&[f64::NEG_INFINITY], None, None, true),
    ];
    for &(values, least, greatest, told) in cases {
        let mut recent = Recent::default();
        let (mut ledger, mut dictionaries) = (ledger(&mut recent), Dictionaries::default());
        let (slot, _) = ledger.slot(&mut recent, &combination(0), &mut dictionaries);
        ledger.turn(slot, stamp(0));
        ledger.count(slot, stamp(0), &Reading { values, ..Reading::NONE }, NO_SUBJECT, true);
        let rows = ledger.finish(&mut dictionaries);
        let found: Vec<_> = rows.iter().map(|row| (row.value_min, row.value_max, row.value_not_finite)).collect();
        assert_eq!(found, [(least, greatest, told)], "{values:?}");
    }
}

#[test]
fn a_bucket_is_a_quarter_of_an_hour() {
    let mut recent = Recent::default();
    let (mut ledger, mut dictionaries) = (ledger(&mut recent), Dictionaries::default());
    let (slot, _) = ledger.slot(&mut recent, &combination(0), &mut dictionaries);
    for seconds in [10, 899, 900, 1_799, 20, 3_600] {
        ledger.turn(slot, stamp(seconds));
        let reading = Reading { values: &[seconds as f64], ..Reading::NONE };
        ledger.count(slot, stamp(seconds), &reading, NO_SUBJECT, true);
    }
    let rows = ledger.finish(&mut dictionaries);
    let buckets: Vec<_> = rows.iter().map(|row| (row.bucket / 1_000_000_000, row.count, row.value_max)).collect();
    assert_eq!(buckets, [(0, 2, Some(899.0)), (900, 2, Some(1_799.0)), (0, 1, Some(20.0)), (3_600, 1, Some(3_600.0))]);
}
