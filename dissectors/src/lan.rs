//! Which network a packet is in. The same addresses in two VLANs, or in two overlays, are different hosts.

/// A network by its names: the innermost VLAN, and the number of the tunnel around it. Either may be unnamed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lan(u64);

impl Lan {
    /// By the innermost VLAN of a frame that is in no numbered tunnel. VLAN 0 is none (IEEE 802.1Q, 9.6: a tag that has
    /// a priority only).
    #[inline]
    pub fn of(vlan: Option<u16>) -> Self {
        Lan(u64::from(vlan.unwrap_or(0)))
    }

    /// The network inside a tunnel that this one carries, by the tunnel's number (0 is none) and the VLAN inside.
    pub fn inside(self, number: u32, vlan: Option<u16>) -> Self {
        let around = self.tunnel();
        let tunnel = if number == 0 { around } else { around.rotate_left(7) ^ number };
        Lan(u64::from(tunnel) << 16 | Lan::of(vlan).0)
    }

    /// True where no name says that these are different networks: a port without tags and a trunk show the same one.
    pub fn agrees(self, other: Lan) -> bool {
        let alike = |one: u64, other: u64| one == 0 || other == 0 || one == other;
        alike(self.vlan(), other.vlan()) && alike(self.tunnel().into(), other.tunnel().into())
    }

    /// With all names of two that agree.
    pub fn joined(self, other: Lan) -> Self {
        Lan(self.0 | other.0)
    }

    fn vlan(self) -> u64 {
        self.0 & 0xffff
    }

    fn tunnel(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_agrees() {
        let plain = Lan::default();
        let (ten, twenty) = (Lan::of(Some(10)), Lan::of(Some(20)));
        let overlay = |number: u32, vlan: Option<u16>| plain.inside(number, vlan);
        for (one, other, agree) in [
            (plain, ten, true),
            (Lan::of(Some(0)), ten, true),
            (ten, ten, true),
            (ten, twenty, false),
            (ten, overlay(5, None), true),
            (ten, overlay(5, Some(20)), false),
            (overlay(5, Some(10)), overlay(6, Some(10)), false),
            (overlay(5, None).inside(7, None), overlay(6, None).inside(7, None), false),
            (overlay(5, None).inside(0, None), overlay(5, None), true),
        ] {
            assert_eq!((one.agrees(other), other.agrees(one)), (agree, agree), "{one:?} {other:?}");
        }
        assert_eq!(ten.joined(overlay(5, None)), overlay(5, Some(10)));
    }
}
