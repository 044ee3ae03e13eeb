//! The blocks of a ring as the kernel fills them (TPACKET_V3, linux/if_packet.h). Every offset is checked, though it is
//! the kernel's.

/// `tpacket_block_desc`: version, offset of private data, then `tpacket_hdr_v1`.
mod block {
    pub const PACKETS: usize = 12;
    pub const FIRST: usize = 16;
}

/// `tpacket3_hdr`.
mod header {
    pub const NEXT: usize = 0;
    pub const SECONDS: usize = 4;
    pub const NANOSECONDS: usize = 8;
    pub const CAPTURED: usize = 12;
    pub const LENGTH: usize = 16;
    pub const STATUS: usize = 20;
    pub const MAC: usize = 24;
    pub const VLAN_TCI: usize = 32;
    pub const VLAN_TPID: usize = 36;
}

const VLAN_VALID: u32 = 1 << 4;
const VLAN_TPID_VALID: u32 = 1 << 6;
/// IEEE 802.1Q: what a kernel that names no other means.
const CUSTOMER_TAG: u16 = 0x8100;
/// Octets of the two addresses, behind which a tag is.
const ADDRESSES: usize = 12;

/// A packet in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Nanoseconds since the epoch.
    pub time_ns: i64,
    /// Octets on the wire, the tag included that was taken out.
    pub original_length: u32,
    data: &'a [u8],
    tag: Option<[u8; 4]>,
}

impl Frame<'_> {
    /// Its octets as they were on the wire: addresses, the tag that the network card or the kernel took out, the rest.
    pub fn parts(&self) -> [&[u8]; 3] {
        let Some(tag) = &self.tag else { return [self.data, &[], &[]] };
        let (addresses, rest) = self.data.split_at(ADDRESSES);
        [addresses, tag, rest]
    }
}

/// The packets of a block.
pub fn frames(block: &[u8]) -> Frames<'_> {
    let at = u32_at(block, block::FIRST).unwrap_or_default() as usize;
    Frames { block, at, left: u32_at(block, block::PACKETS).unwrap_or_default() }
}

/// See [`frames`].
pub struct Frames<'a> {
    block: &'a [u8],
    at: usize,
    left: u32,
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let header = self.block.get(self.at..)?;
        let field = |offset| u32_at(header, offset);
        let start = usize::from(u16_at(header, header::MAC)?);
        let data = header.get(start..start.checked_add(field(header::CAPTURED)? as usize)?)?;
        let status = field(header::STATUS)?;
        let is_tagged = status & VLAN_VALID != 0 && data.len() >= ADDRESSES;
        let tag = if is_tagged {
            let kind = u16_at(header, header::VLAN_TPID).filter(|_| status & VLAN_TPID_VALID != 0);
            let [a, b] = kind.unwrap_or(CUSTOMER_TAG).to_be_bytes();
            let [c, d] = (field(header::VLAN_TCI)? as u16).to_be_bytes();
            Some([a, b, c, d])
        } else {
            None
        };
        let [seconds, nanoseconds] = [field(header::SECONDS)?, field(header::NANOSECONDS)?].map(i64::from);
        let original_length = field(header::LENGTH)?.saturating_add(if tag.is_some() { 4 } else { 0 });
        match field(header::NEXT)? {
            0 => self.left = 0,
            next => self.at = self.at.checked_add(next as usize)?,
        }
        Some(Frame { time_ns: seconds * 1_000_000_000 + nanoseconds, original_length, data, tag })
    }
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(offset..offset + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(offset..offset + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: usize = 48;

    /// A packet with its header: octets, octets on the wire, status, tag control information, tag protocol identifier.
    fn packet(next: u32, data: &[u8], wire: u32, status: u32, tci: u32, tpid: u16) -> Vec<u8> {
        let mut header = vec![0; HEADER];
        let words = [next, 7, 9, data.len() as u32, wire, status];
        words.iter().enumerate().for_each(|(at, word)| header[at * 4..][..4].copy_from_slice(&word.to_ne_bytes()));
        header[header::MAC..][..2].copy_from_slice(&(HEADER as u16).to_ne_bytes());
        header[header::VLAN_TCI..][..4].copy_from_slice(&tci.to_ne_bytes());
        header[header::VLAN_TPID..][..2].copy_from_slice(&tpid.to_ne_bytes());
        [header, data.to_vec()].concat()
    }

    fn block(packets: u32, content: &[u8]) -> Vec<u8> {
        let mut block = vec![0; 48];
        block[block::PACKETS..][..4].copy_from_slice(&packets.to_ne_bytes());
        block[block::FIRST..][..4].copy_from_slice(&48_u32.to_ne_bytes());
        [block, content.to_vec()].concat()
    }

    #[test]
    fn tags_are_put_back_where_they_were() {
        const DATA: &[u8] = b"aaaaaabbbbbb\x08\x00rest";
        let tagged = |tag: &[u8]| [b"aaaaaabbbbbb", tag, b"\x08\x00rest"].concat();
        let cases = [
            (0, 0, 0, DATA.to_vec(), 0),
            // Control information without the flag says nothing.
            (0, 5, 0x88a8, DATA.to_vec(), 0),
            (VLAN_VALID, 5, 0, tagged(&[0x81, 0, 0, 5]), 4),
            (VLAN_VALID | VLAN_TPID_VALID, 0x6064, 0x88a8, tagged(&[0x88, 0xa8, 0x60, 0x64]), 4),
            // A priority tag has the VLAN 0.
            (VLAN_VALID | VLAN_TPID_VALID, 0, 0x8100, tagged(&[0x81, 0, 0, 0]), 4),
        ];
        for (status, tci, tpid, octets, more) in cases {
            let block = block(1, &packet(0, DATA, 300, status, tci, tpid));
            let frame = frames(&block).next().unwrap();
            assert_eq!(frame.parts().concat(), octets);
            assert_eq!((frame.time_ns, frame.original_length), (7_000_000_009, 300 + more));
        }
        let block = block(1, &packet(0, b"short", 5, VLAN_VALID, 5, 0));
        assert_eq!(frames(&block).next().unwrap().parts().concat(), b"short");
    }

    #[test]
    fn packets_follow_one_another_as_far_as_they_are_there() {
        let two = [packet(64, &[1; 16], 16, 0, 0, 0), packet(0, &[2; 16], 16, 0, 0, 0)].concat();
        let lengths = |block: &[u8]| frames(block).map(|frame| frame.parts().concat().len()).collect::<Vec<_>>();
        assert_eq!(lengths(&block(2, &two)), [16, 16]);
        assert_eq!(lengths(&block(1, &two)), [16]);
        assert_eq!(lengths(&block(9, &two)), [16, 16], "the last names no next one");
        for end in 0..block(2, &two).len() {
            assert!(lengths(&block(2, &two)[..end]).len() < 2);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_a_block(octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let found: usize = frames(&octets).map(|frame| frame.parts().concat().len()).take(1_000).sum();
            proptest::prop_assert!(found <= 1_000 * 304);
        }
    }
}
