//! Linux' packet sockets (packet(7)): the one place of the engine with calls that the compiler cannot check.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::io::{Error, Result};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Place of `block_status` in `tpacket_block_desc`.
const BLOCK_STATUS: usize = 8;
/// The least size of a packet's place, of which the kernel only asks that it divides a block.
const FRAME: u32 = 2_048;

/// A packet socket. It receives nothing before it is bound, and is never sent on.
pub struct Socket(Arc<OwnedFd>);

/// What the kernel counted since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Packets that it had no room for.
    pub drops: u64,
    /// Times that it found the ring full.
    pub freezes: u64,
}

/// Says how a call went, whose results below 0 are errors.
fn checked(result: c_int) -> Result<c_int> {
    if result < 0 { Err(Error::last_os_error()) } else { Ok(result) }
}

impl Socket {
    /// A socket that gives whole frames.
    ///
    /// # Errors
    /// Where the process may not have one.
    pub fn new() -> Result<Self> {
        // SAFETY: no memory is handed over.
        let fd = checked(unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) })?;
        // SAFETY: the number is that of a file that was opened above and is nobody else's.
        Ok(Socket(Arc::new(unsafe { OwnedFd::from_raw_fd(fd) })))
    }

    /// Its number in this process.
    pub fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    fn set<T: Copy>(&self, level: c_int, name: c_int, value: &T) -> Result<()> {
        let size = size_of::<T>() as libc::socklen_t;
        // SAFETY: the pointer is that of a value which lives through the call, the size is the value's.
        checked(unsafe { libc::setsockopt(self.fd(), level, name, std::ptr::from_ref(value).cast(), size) }).map(drop)
    }

    fn get<T: Copy + Default>(&self, level: c_int, name: c_int) -> Result<T> {
        let (mut value, mut size) = (T::default(), size_of::<T>() as libc::socklen_t);
        let place = std::ptr::from_mut(&mut value).cast();
        // SAFETY: the kernel writes at most `size` octets, which the value has; its types here are arrays of numbers, of
        // which any octets are one.
        checked(unsafe { libc::getsockopt(self.fd(), level, name, place, &raw mut size) })?;
        Ok(value)
    }

    /// Asks the kernel about an interface by name or number; the answer is in the same place.
    fn ask(&self, request: libc::Ioctl, of: &mut libc::ifreq) -> Result<()> {
        // SAFETY: all requests made here read and write one `ifreq`, which lives through the call.
        checked(unsafe { libc::ioctl(self.fd(), request, std::ptr::from_mut(of)) }).map(drop)
    }

    /// Number of the interface with a name.
    ///
    /// # Errors
    /// Where there is none.
    pub fn index(&self, name: &str) -> Result<i32> {
        let mut of = named(name)?;
        self.ask(libc::SIOCGIFINDEX as libc::Ioctl, &mut of)?;
        // SAFETY: the request was for this member, and any octets are a number.
        Ok(unsafe { of.ifr_ifru.ifru_ifindex })
    }

    /// Name of the interface with a number.
    ///
    /// # Errors
    /// Where there is none.
    pub fn name(&self, index: i32) -> Result<String> {
        let mut of = named("")?;
        of.ifr_ifru.ifru_ifindex = index;
        self.ask(libc::SIOCGIFNAME as libc::Ioctl, &mut of)?;
        let octets: Vec<u8> = of.ifr_name.iter().take_while(|octet| **octet != 0).map(|octet| *octet as u8).collect();
        Ok(String::from_utf8_lossy(&octets).into_owned())
    }

    /// True where the interface with a name is up.
    ///
    /// # Errors
    /// Where there is none.
    pub fn is_up(&self, name: &str) -> Result<bool> {
        let mut of = named(name)?;
        self.ask(libc::SIOCGIFFLAGS as libc::Ioctl, &mut of)?;
        // SAFETY: the request was for this member, and any octets are a number.
        let flags = unsafe { of.ifr_ifru.ifru_flags };
        Ok(c_int::from(flags) & libc::IFF_UP != 0)
    }

    /// Kind of the link layer of the interface with a name (ARPHRD).
    ///
    /// # Errors
    /// Where there is none.
    pub fn link(&self, name: &str) -> Result<u16> {
        let mut of = named(name)?;
        self.ask(libc::SIOCGIFHWADDR as libc::Ioctl, &mut of)?;
        // SAFETY: the request was for this member, and any octets are an address.
        Ok(unsafe { of.ifr_ifru.ifru_hwaddr }.sa_family)
    }

    /// Gives only so many octets of each packet; no packet at 0.
    ///
    /// # Errors
    /// Where the kernel refuses.
    pub fn limit(&self, octets: u32) -> Result<()> {
        let code = (libc::BPF_RET | libc::BPF_K) as u16;
        let mut filter = libc::sock_filter { code, jt: 0, jf: 0, k: octets };
        // The kernel copies the program during the call.
        let program = libc::sock_fprog { len: 1, filter: &raw mut filter };
        self.set(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
    }

    /// What the host sends itself is not captured.
    ///
    /// # Errors
    /// Before Linux 4.20.
    pub fn ignore_outgoing(&self) -> Result<()> {
        self.set(libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &1_i32)
    }

    /// The interface hands over what is for others, too, as long as the socket is open.
    ///
    /// # Errors
    /// Where the kernel refuses.
    pub fn promiscuous(&self, index: i32) -> Result<()> {
        let kind = libc::PACKET_MR_PROMISC as u16;
        let request = libc::packet_mreq { mr_ifindex: index, mr_type: kind, mr_alen: 0, mr_address: [0; 8] };
        self.set(libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &request)
    }

    /// From here on all packets of the interface come.
    ///
    /// # Errors
    /// Where the kernel refuses.
    pub fn bind(&self, index: i32) -> Result<()> {
        let address = libc::sockaddr_ll {
            sll_family: libc::AF_PACKET as u16,
            sll_protocol: (libc::ETH_P_ALL as u16).to_be(),
            sll_ifindex: index,
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        };
        let size = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        // SAFETY: the pointer is that of an address which lives through the call, the size is the address's.
        checked(unsafe { libc::bind(self.fd(), std::ptr::from_ref(&address).cast(), size) }).map(drop)
    }

    /// Shares the interface's packets with other sockets by a hash that is the same both ways of a flow: in the group with
    /// a number, or a new one. Gives the group's number.
    ///
    /// # Errors
    /// Where the kernel refuses.
    pub fn share(&self, group: Option<u16>) -> Result<u16> {
        let new = if group.is_none() { libc::PACKET_FANOUT_FLAG_UNIQUEID } else { 0 };
        let kind = libc::PACKET_FANOUT_HASH | libc::PACKET_FANOUT_FLAG_IGNORE_OUTGOING | new;
        let request = u32::from(group.unwrap_or_default()) | kind << 16;
        self.set(libc::SOL_PACKET, libc::PACKET_FANOUT, &request)?;
        self.get::<[u32; 1]>(libc::SOL_PACKET, libc::PACKET_FANOUT).map(|[told]| told as u16)
    }

    /// Waits for packets, at most so long; true where the kernel has an error to tell, such as that the interface went down.
    ///
    /// # Errors
    /// Where it cannot be waited.
    pub fn wait(&self, milliseconds: i32) -> Result<bool> {
        let mut of = libc::pollfd { fd: self.fd(), events: libc::POLLIN | libc::POLLERR, revents: 0 };
        // SAFETY: it is told of one file, and its place lives through the call.
        let result = checked(unsafe { libc::poll(&raw mut of, 1, milliseconds) });
        match result {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Ok(false),
            Err(error) => Err(error),
            Ok(_) => Ok(of.revents & libc::POLLERR != 0),
        }
    }

    /// The error that waits, which is gone then.
    ///
    /// # Errors
    /// That error.
    pub fn error(&self) -> Result<()> {
        match self.get::<[i32; 1]>(libc::SOL_SOCKET, libc::SO_ERROR)? {
            [0] => Ok(()),
            [number] => Err(Error::from_raw_os_error(number)),
        }
    }

    /// What the kernel counted since it was last asked.
    ///
    /// # Errors
    /// Where the kernel refuses.
    pub fn statistics(&self) -> Result<Statistics> {
        let [_, drops, freezes] = self.get::<[u32; 3]>(libc::SOL_PACKET, libc::PACKET_STATISTICS)?.map(u64::from);
        Ok(Statistics { drops, freezes })
    }

    /// Makes the ring: so many blocks of so many octets (a power of two, and of pages); a block that is not full is handed
    /// over after so many milliseconds.
    ///
    /// # Errors
    /// Where there is no memory for it, or the kernel refuses.
    pub fn ring(&self, block: u32, blocks: u32, milliseconds: u32) -> Result<Ring> {
        self.set(libc::SOL_PACKET, libc::PACKET_VERSION, &(libc::tpacket_versions::TPACKET_V3 as c_int))?;
        let request = libc::tpacket_req3 {
            tp_block_size: block,
            tp_block_nr: blocks,
            tp_frame_size: FRAME,
            tp_frame_nr: block / FRAME * blocks,
            tp_retire_blk_tov: milliseconds,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        self.set(libc::SOL_PACKET, libc::PACKET_RX_RING, &request)?;
        let (block, blocks) = (block as usize, blocks as usize);
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the kernel chooses a place that nothing else has, and the ring is as long as was asked for above.
        let place =
            unsafe { libc::mmap(std::ptr::null_mut(), block * blocks, protection, libc::MAP_SHARED, self.fd(), 0) };
        let base = NonNull::new(place).filter(|_| place != libc::MAP_FAILED).ok_or_else(Error::last_os_error)?;
        Ok(Ring { base, block, blocks, at: 0, _socket: Arc::clone(&self.0) })
    }
}

/// A request about the interface of a name.
fn named(name: &str) -> Result<libc::ifreq> {
    // SAFETY: the structure is numbers and unions of them; all zeros are one.
    let mut of: libc::ifreq = unsafe { std::mem::zeroed() };
    // The last octet stays zero.
    if name.len() >= of.ifr_name.len() || name.contains('\0') {
        return Err(Error::from_raw_os_error(libc::ENODEV));
    }
    of.ifr_name.iter_mut().zip(name.bytes()).for_each(|(place, octet)| *place = octet as libc::c_char);
    Ok(of)
}

/// The ring that a socket's packets are in. Blocks belong to the kernel or to us by turns; whose one is, its status says.
pub struct Ring {
    base: NonNull<c_void>,
    block: usize,
    blocks: usize,
    at: usize,
    /// The kernel writes as long as the socket is open.
    _socket: Arc<OwnedFd>,
}

// SAFETY: the memory is the ring's alone but for the kernel; who has the ring may use it from any thread.
unsafe impl Send for Ring {}

impl Ring {
    fn status(&self) -> &AtomicU32 {
        // SAFETY: `at` is below `blocks`, so the place is within the mapping; it is aligned, as blocks are to pages, and
        // both sides access it atomically.
        unsafe { AtomicU32::from_ptr(self.base.as_ptr().byte_add(self.at * self.block + BLOCK_STATUS).cast()) }
    }

    /// The next block, where the kernel has filled it.
    pub fn filled(&self) -> Option<&[u8]> {
        // What the kernel wrote before it gave the block away is seen behind this.
        if self.status().load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        // SAFETY: the block is within the mapping, and the kernel writes nothing there until `release`, which needs the
        // ring for itself, so that no slice is left.
        Some(unsafe {
            std::slice::from_raw_parts(self.base.as_ptr().byte_add(self.at * self.block).cast(), self.block)
        })
    }

    /// Gives the block back to the kernel, and goes on to the next one.
    pub fn release(&mut self) {
        self.status().store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.at = (self.at + 1) % self.blocks;
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: place and length are those of the mapping, and nothing borrows from it any longer.
        unsafe { libc::munmap(self.base.as_ptr(), self.block * self.blocks) };
    }
}
