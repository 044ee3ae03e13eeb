//! The engine's face for Python: `Decoder` and the Arrow C stream interface.
#![allow(missing_docs)]

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{RecordBatch, RecordBatchIterator};
use arrow_schema::{ArrowError, Schema};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyTuple};

use crate::activity::Field;
use crate::decoder::Decoder as Core;
use crate::extract::{Extractor as ExtractorCore, Input, Wanted};
use crate::model::Protocol;
use crate::sinks::Detail;

pub(crate) fn failed(error: ArrowError) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}

/// One table's rows so far, for the Arrow C stream interface.
#[pyclass(module = "zonewatch.dissectors._native", frozen)]
pub(crate) struct Columns {
    batches: Vec<RecordBatch>,
}

impl Columns {
    /// The rows of a table; at least one batch, or none where there is no such table.
    pub(crate) fn of(table: &str, batches: Option<Vec<RecordBatch>>) -> PyResult<Self> {
        let batches = batches.filter(|batches| !batches.is_empty());
        let batches = batches.ok_or_else(|| PyValueError::new_err(format!("unknown table '{table}'")))?;
        Ok(Columns { batches })
    }
}

#[pymethods]
impl Columns {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface allows a producer to ignore a request that it cannot meet.
        let _ = requested_schema;
        let schema = self.batches.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
        let batches = RecordBatchIterator::new(self.batches.clone().into_iter().map(Ok), schema);
        let stream = FFI_ArrowArrayStream::new(Box::new(batches));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }
}

/// Decodes captures in one streaming pass.
#[pyclass(module = "zonewatch.dissectors._native", frozen)]
struct Decoder {
    core: Mutex<Core>,
}

#[pymethods]
impl Decoder {
    #[new]
    fn new(
        sources: Vec<(String, Vec<(String, String)>)>,
        detail: &str,
        hash_inputs: bool,
        threads: usize,
    ) -> PyResult<Self> {
        let detail = self::detail(detail)?;
        Ok(Decoder { core: Mutex::new(Core::new(sources, detail, hash_inputs).with_threads(threads)) })
    }

    fn advance(&self, py: Python<'_>, packets: u64) -> bool {
        py.detach(|| self.core().advance(packets))
    }

    fn packets(&self) -> u64 {
        self.core().packets()
    }

    fn bytes_read(&self) -> u64 {
        self.core().bytes_read()
    }

    fn take(&self, py: Python<'_>, table: &str) -> PyResult<Columns> {
        let batch = py.detach(|| self.core().take(table)).map_err(failed)?;
        Columns::of(table, batch.map(|batch| vec![batch]))
    }
}

impl Decoder {
    /// Two threads of Python may share a decoder; they take turns.
    fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is kept, by its word.
pub(crate) fn detail(word: &str) -> PyResult<Detail> {
    match word {
        "aggregates" => Ok(Detail::Aggregates),
        "events" => Ok(Detail::Events),
        "pdus" => Ok(Detail::Pdus),
        other => Err(PyValueError::new_err(format!("unknown detail '{other}': aggregates, events or pdus"))),
    }
}

/// Takes packets out of captures in one more pass.
#[pyclass(module = "zonewatch.dissectors._native", frozen)]
struct Extractor {
    core: Mutex<ExtractorCore>,
}

/// Source, name and path of a file, and the frames wanted of it.
type File = (String, String, String, Vec<Wanted>);

#[pymethods]
impl Extractor {
    #[new]
    fn new(inputs: Vec<File>, captures: usize, most_octets: usize) -> Self {
        let input = |(source, name, path, wanted)| Input { source, name, path, wanted };
        let inputs = inputs.into_iter().map(input).collect();
        Extractor { core: Mutex::new(ExtractorCore::new(inputs, captures, most_octets)) }
    }

    fn advance(&self, py: Python<'_>, packets: u64) -> bool {
        py.detach(|| self.core().advance(packets))
    }

    fn packets(&self) -> u64 {
        self.core().packets()
    }

    fn bytes_read(&self) -> u64 {
        self.core().bytes_read()
    }

    fn take<'py>(&self, py: Python<'py>, number: usize) -> PyResult<(Bound<'py, PyBytes>, u64, u64)> {
        let capture = self.core().take(number);
        let capture = capture.ok_or_else(|| PyValueError::new_err(format!("no mini capture {number}")))?;
        Ok((PyBytes::new(py, &capture.octets), capture.packets, capture.left_out))
    }

    fn problems(&self) -> Vec<(usize, String)> {
        self.core().problems().iter().map(|(input, error)| (*input, error.to_string())).collect()
    }
}

impl Extractor {
    fn core(&self) -> MutexGuard<'_, ExtractorCore> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    #[cfg(target_os = "linux")]
    crate::confine::python::add(module)?;
    let services = Protocol::ALL.iter().filter(|protocol| !protocol.is_control()).map(|protocol| protocol.name());
    module.add("SERVICES", PyTuple::new(module.py(), services.collect::<Vec<_>>())?)?;
    module
        .add("FIELDS", PyTuple::new(module.py(), Field::ALL.iter().map(|field| field.name()).collect::<Vec<_>>())?)?;
    module.add_class::<Decoder>()?;
    module.add_class::<Extractor>()?;
    crate::live::python::add_to(module)?;
    module.add_class::<Columns>()
}
