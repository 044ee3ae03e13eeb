//! Live capture's face for Python: `Live` and `Snapshot`.
#![allow(missing_docs)]

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::hub::{Hub, locked};
use super::turns::Turns;
use super::{Class, Live as Core, OpenError, Settings, Snapshot as SnapshotCore};
use crate::extract::Wanted;
use crate::python::{Columns, detail, failed};

/// How long one turn of decoding is: others who ask wait no longer.
const TURN: Duration = Duration::from_millis(10);

/// Listens to interfaces.
#[pyclass(module = "zonewatch.dissectors._native", frozen)]
struct Live {
    core: Turns<Core>,
    hub: Arc<Hub>,
}

/// Rows as if a live capture had ended.
#[pyclass(module = "zonewatch.dissectors._native", frozen)]
struct Snapshot {
    core: SnapshotCore,
}

/// Name, state, name now, packets, octets, drops, freezes, outages.
type Interface = (String, &'static str, String, u64, u64, u64, u64, u64);
/// Packets and octets decoded; octets that wait and how full that is in hundredths; packets that came late; class, packets
/// and octets given up; interfaces.
type Counts = ([u64; 2], [usize; 2], u64, Vec<(&'static str, u64, u64)>, Vec<Interface>);

#[pymethods]
impl Live {
    #[new]
    #[expect(clippy::too_many_arguments, reason = "its face in Python names them")]
    fn new(
        py: Python<'_>,
        source: &str,
        capture: &str,
        interfaces: Vec<String>,
        files: Vec<String>,
        ring_octets: usize,
        threads: usize,
        snap_length: u32,
        most_remembered_octets: usize,
        detail: &str,
    ) -> PyResult<Self> {
        let detail = self::detail(detail)?;
        let settings = Settings { ring_octets, threads, snap_length, most_remembered_octets, detail };
        let core = py.detach(|| match files.is_empty() {
            true => Core::open(source, capture, &interfaces, &settings),
            false => Ok(Core::replay(source, capture, &files, &settings)),
        });
        let core = core.map_err(|OpenError { interface, number, what }| match number {
            0 => PyOSError::new_err(format!("{interface}: {what}")),
            // `OSError` chooses its subclass by the number; its third argument is what could not be opened.
            number => PyOSError::new_err((number, what, interface)),
        })?;
        Ok(Live { hub: Arc::clone(&core.hub), core: Turns::new(core) })
    }

    fn advance(&self, py: Python<'_>, milliseconds: u64) -> bool {
        let end = Instant::now() + Duration::from_millis(milliseconds);
        py.detach(|| {
            loop {
                let left = end.saturating_duration_since(Instant::now());
                let goes_on = self.core().advance(left.min(TURN));
                if !goes_on || left <= TURN {
                    return goes_on;
                }
            }
        })
    }

    fn take(&self, py: Python<'_>, table: &str) -> PyResult<Columns> {
        Columns::of(table, py.detach(|| self.core().take(table)).map_err(failed)?)
    }

    fn snapshot(&self, py: Python<'_>) -> PyResult<Snapshot> {
        Ok(Snapshot { core: py.detach(|| self.core().snapshot()).map_err(failed)? })
    }

    fn turn(&self, py: Python<'_>, capture: &str) -> PyResult<()> {
        py.detach(|| self.core().turn(capture)).map_err(failed)
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| self.core().close());
    }

    fn packets<'py>(
        &self,
        py: Python<'py>,
        frames: Vec<Wanted>,
        captures: usize,
        most_octets: usize,
    ) -> Vec<(Bound<'py, PyBytes>, u64, u64)> {
        let made = py.detach(|| self.core().packets(frames, captures, most_octets));
        made.iter().map(|made| (PyBytes::new(py, &made.octets), made.packets, made.left_out)).collect()
    }

    fn remembered(&self, py: Python<'_>) -> usize {
        py.detach(|| self.core().remembered())
    }

    fn descriptors(&self, py: Python<'_>) -> Vec<i32> {
        py.detach(|| self.core().descriptors().to_vec())
    }

    /// Needs no turn: it may be asked while another thread decodes.
    fn counts(&self) -> Counts {
        let hub = &*self.hub;
        let shed = Class::ALL.iter().zip(&hub.shed).map(|(class, count)| {
            let [packets, octets] = count.get();
            (class.name(), packets, octets)
        });
        let interfaces = hub.interfaces.iter().map(|interface| {
            let (state, now) = locked(&interface.now).clone();
            let [packets, octets] = interface.captured.get();
            let [drops, freezes, outages] =
                [&interface.drops, &interface.freezes, &interface.outages].map(|count| count.load(Relaxed));
            (interface.name.clone(), state.name(), now, packets, octets, drops, freezes, outages)
        });
        (hub.decoded.get(), [hub.octets(), hub.fill()], hub.late.load(Relaxed), shed.collect(), interfaces.collect())
    }
}

impl Live {
    fn core(&self) -> MutexGuard<'_, Core> {
        self.core.take()
    }
}

#[pymethods]
impl Snapshot {
    fn take(&self, table: &str) -> PyResult<Columns> {
        Columns::of(table, self.core.take(table))
    }
}

pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Live>()?;
    module.add_class::<Snapshot>()
}
