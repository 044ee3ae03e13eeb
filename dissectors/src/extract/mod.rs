//! Mini captures: chosen packets of the inputs, taken out in one more pass, as pcapng in memory.

mod mini;
mod shorten;

use std::collections::VecDeque;
use std::iter::Peekable;
use std::path::Path;
use std::vec::IntoIter;

use thiserror::Error;

use crate::capture::{CaptureError, Packet, Reader};
pub use mini::MiniCapture;
use mini::Place;
use shorten::shortened;

/// A file to be read again, and what is wanted of it.
#[derive(Clone, Debug)]
pub struct Input {
    /// Name of the capture point.
    pub source: String,
    /// The file's name in results.
    pub name: String,
    /// Where it is.
    pub path: String,
    /// Frames as the decoder counts them, from 1.
    pub wanted: Vec<Wanted>,
}

/// A frame, the number of a mini capture that it goes to, and how many octets of what TCP or UDP carries in it are shown;
/// none where all are.
pub type Wanted = (u64, usize, Option<usize>);

/// Why packets of an input are missing.
#[derive(Debug, Error)]
pub enum ExtractError {
    /// It cannot be read, or not as far as before.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// It became shorter.
    #[error("it ends after {packets} packets, and frame {frame} was looked for")]
    Short {
        /// Packets that it has.
        packets: u64,
        /// The first that is missing.
        frame: u64,
    },
}

/// Takes packets out of files in one streaming pass, which reads no further than the last one wanted of each.
pub struct Extractor {
    waiting: VecDeque<(usize, Input)>,
    open: Option<Open>,
    found: Found,
    problems: Vec<(usize, ExtractError)>,
    packets: u64,
    bytes_done: u64,
}

struct Open {
    /// Number of the input.
    index: usize,
    place: Place,
    wanted: Peekable<IntoIter<Wanted>>,
    reader: Reader,
    frame: u64,
}

impl Extractor {
    /// An extractor into this many mini captures. Where they would be larger than `most_octets` in all, the last are
    /// given up first.
    pub fn new(inputs: Vec<Input>, captures: usize, most_octets: usize) -> Self {
        Extractor {
            waiting: inputs.into_iter().enumerate().collect(),
            open: None,
            found: Found::new(captures, most_octets),
            problems: Vec::new(),
            packets: 0,
            bytes_done: 0,
        }
    }

    /// Packets read so far.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Octets of the inputs read so far, as stored.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_done + self.open.as_ref().map_or(0, |open| open.reader.bytes_read())
    }

    /// Numbers of the inputs of which packets are missing, each with the reason.
    pub fn problems(&self) -> &[(usize, ExtractError)] {
        &self.problems
    }

    /// A mini capture, which is handed over.
    pub fn take(&mut self, number: usize) -> Option<MiniCapture> {
        self.found.captures.get_mut(number).map(std::mem::take)
    }

    /// Reads up to so many packets; false when nothing more is to be found.
    pub fn advance(&mut self, packets: u64) -> bool {
        let mut left = packets.max(1);
        while left > 0 {
            let Some(open) = &mut self.open else {
                let Some((index, input)) = self.waiting.pop_front() else { return false };
                self.start(index, input);
                continue;
            };
            let Some(&(next, ..)) = open.wanted.peek() else {
                self.finish();
                continue;
            };
            match open.reader.next_packet() {
                Ok(Some(packet)) => {
                    open.frame += 1;
                    self.packets += 1;
                    left -= 1;
                    while let Some((frame, to, keep)) = open.wanted.next_if(|(frame, ..)| *frame == open.frame) {
                        self.found.add(to, open.index, &open.place, frame, (&packet, keep));
                    }
                }
                Ok(None) => {
                    let error = ExtractError::Short { packets: open.frame, frame: next };
                    self.fail(error);
                }
                Err(error) => self.fail(error.into()),
            }
        }
        true
    }

    fn start(&mut self, index: usize, input: Input) {
        let Input { source, name, path, mut wanted } = input;
        in_order(&mut wanted);
        if wanted.is_empty() {
            return;
        }
        match Reader::open(Path::new(&path), false) {
            Ok(reader) => {
                let wanted = wanted.into_iter().peekable();
                self.open = Some(Open { index, place: Place { source, name }, wanted, reader, frame: 0 });
            }
            Err(error) => self.problems.push((index, error.into())),
        }
    }

    fn fail(&mut self, error: ExtractError) {
        if let Some(open) = self.finish() {
            self.problems.push((open.index, error));
        }
    }

    fn finish(&mut self) -> Option<Open> {
        let open = self.open.take()?;
        self.bytes_done += open.reader.bytes_read();
        Some(open)
    }
}

/// Mini captures of packets that are at hand, by frame. Those that are not are counted as left out.
pub fn at_hand<'a>(
    source: &str,
    name: &str,
    mut wanted: Vec<Wanted>,
    captures: usize,
    most_octets: usize,
    packet: impl Fn(u64) -> Option<Packet<'a>>,
) -> Vec<MiniCapture> {
    let place = Place { source: source.to_owned(), name: name.to_owned() };
    let mut found = Found::new(captures, most_octets);
    in_order(&mut wanted);
    for (frame, to, keep) in wanted {
        match packet(frame) {
            Some(packet) => found.add(to, 0, &place, frame, (&packet, keep)),
            None => found.captures.get_mut(to).into_iter().for_each(|capture| capture.left_out += 1),
        }
    }
    found.captures
}

/// Puts what is wanted in the order of the frames; where one is wanted twice, the lesser part of it is shown.
fn in_order(wanted: &mut Vec<Wanted>) {
    wanted.retain(|(frame, ..)| *frame > 0);
    wanted.sort_unstable_by_key(|(frame, to, keep)| (*frame, *to, keep.unwrap_or(usize::MAX)));
    wanted.dedup_by_key(|(frame, to, _)| (*frame, *to));
}

/// All mini captures, bounded together.
struct Found {
    captures: Vec<MiniCapture>,
    /// How many of them, from the first on, are not given up.
    kept: usize,
    octets: usize,
    most_octets: usize,
}

impl Found {
    fn new(captures: usize, most_octets: usize) -> Self {
        Found { captures: vec![MiniCapture::default(); captures], kept: captures, octets: 0, most_octets }
    }

    /// Adds a packet, or as much of it as is to be shown.
    fn add(&mut self, to: usize, input: usize, place: &Place, frame: u64, shown: (&Packet<'_>, Option<usize>)) {
        let (packet, keep) = shown;
        let short = keep.and_then(|keep| shortened(packet, keep));
        let packet = &match &short {
            Some(data) => Packet { data, original_length: data.len() as u32, ..*packet },
            None => *packet,
        };
        let Some(capture) = self.captures.get_mut(to) else { return };
        if to >= self.kept {
            capture.left_out += 1;
            return;
        }
        self.octets += capture.add(input, place, frame, packet);
        while self.octets > self.most_octets && self.kept > 0 {
            self.kept -= 1;
            self.octets -= self.captures[self.kept].give_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::mini::tests::{Row, read, rows};
    use super::*;

    const BUNDLED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../pcaps/modbus/read_write.pcap");

    fn bundled() -> Vec<Row> {
        rows(Reader::open(Path::new(BUNDLED), false).expect("the bundled capture"))
    }

    fn input(path: &str, wanted: &[(u64, usize)]) -> Input {
        let text = str::to_owned;
        Input {
            source: text("span"),
            name: text("a.pcap"),
            path: text(path),
            wanted: wanted.iter().map(|(frame, to)| (*frame, *to, None)).collect(),
        }
    }

    fn extracted(inputs: Vec<Input>, captures: usize, most_octets: usize) -> (Vec<MiniCapture>, Vec<String>, u64) {
        let mut extractor = Extractor::new(inputs, captures, most_octets);
        while extractor.advance(2) {}
        let made = (0..captures).filter_map(|number| extractor.take(number)).collect();
        (
            made,
            extractor.problems().iter().map(|(input, error)| format!("{input}: {error}")).collect(),
            extractor.packets,
        )
    }

    #[test]
    fn packets_go_to_every_capture_that_wants_them() {
        let all = bundled();
        let pick = |frames: &[usize]| frames.iter().map(|frame| all[frame - 1].clone()).collect::<Vec<_>>();
        let wanted = [(9, 1), (2, 0), (5, 0), (5, 1), (2, 0)];
        let (made, problems, read_in_all) = extracted(vec![input(BUNDLED, &wanted)], 3, 1 << 20);
        assert_eq!(read(&made[0].octets), pick(&[2, 5]));
        assert_eq!(read(&made[1].octets), pick(&[5, 9]));
        assert!(made[2].octets.is_empty());
        assert_eq!(made.iter().map(|one| (one.packets, one.left_out)).collect::<Vec<_>>(), [(2, 0), (2, 0), (0, 0)]);
        assert!(problems.is_empty());
        assert_eq!(read_in_all, 9, "nothing is read behind the last packet wanted");
    }

    #[test]
    fn interfaces_of_two_inputs_stay_apart() {
        let inputs = vec![input(BUNDLED, &[(1, 0)]), input(BUNDLED, &[]), input(BUNDLED, &[(1, 0)])];
        let (made, _, _) = extracted(inputs, 1, 1 << 20);
        let interfaces: Vec<u32> = read(&made[0].octets).into_iter().map(|row| row.4).collect();
        assert_eq!(interfaces, [0, 1]);
    }

    #[test]
    fn what_is_missing_is_said() {
        let length = bundled().len() as u64;
        let short = format!("it ends after {length} packets, and frame {} was looked for", length + 1);
        // file, frames wanted of it, packets found, problem
        let cases: [(&str, &[u64], u64, &str); 4] = [
            (BUNDLED, &[0, 1], 1, ""),
            (BUNDLED, &[1, length + 1, u64::MAX], 1, &short),
            ("no/such/file", &[1, 2], 0, "cannot be read after 0 packets"),
            (concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), &[1], 0, "not a packet capture"),
        ];
        for (path, frames, packets, problem) in cases {
            let wanted: Vec<(u64, usize)> = frames.iter().map(|frame| (*frame, 1)).collect();
            let (made, problems, _) = extracted(vec![input(path, &wanted)], 2, 1 << 20);
            assert_eq!((made[1].packets, made[1].left_out), (packets, 0), "{path}");
            assert_eq!(problems.len(), usize::from(!problem.is_empty()), "{problems:?}");
            assert!(problems.iter().all(|said| said.contains(problem)), "{problems:?}");
        }
    }

    #[test]
    fn the_last_captures_are_given_up_first() {
        let wanted = [(1, 0), (2, 2), (3, 1), (4, 2), (5, 1), (5, 9)];
        let counts = |most_octets| {
            let (made, _, _) = extracted(vec![input(BUNDLED, &wanted)], 3, most_octets);
            let octets: usize = made.iter().map(|capture| capture.octets.len()).sum();
            assert!(octets <= most_octets);
            made.iter().map(|one| (one.packets, one.left_out)).collect::<Vec<_>>()
        };
        let all = extracted(vec![input(BUNDLED, &wanted)], 3, 1 << 20).0;
        let sizes: Vec<usize> = all.iter().map(|capture| capture.octets.len()).collect();
        assert_eq!(counts(sizes.iter().sum()), [(1, 0), (2, 0), (2, 0)]);
        assert_eq!(counts(sizes[0] + sizes[1]), [(1, 0), (2, 0), (0, 2)]);
        assert_eq!(counts(sizes[0]), [(1, 0), (0, 2), (0, 2)]);
        assert_eq!(counts(1), [(0, 1), (0, 2), (0, 2)]);
    }
}
