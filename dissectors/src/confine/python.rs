//! The face for Python: plain functions, errors as `OSError`.

use std::path::PathBuf;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::{DENIED, Denied, Problem};

impl From<Problem> for PyErr {
    fn from(problem: Problem) -> Self {
        PyOSError::new_err(problem.to_string())
    }
}

#[pyfunction]
fn deny_sending(sockets: Vec<i32>) -> Result<(), Problem> {
    super::deny_sending(&sockets)
}

#[pyfunction]
fn limit_files(read: Vec<PathBuf>, write: Vec<PathBuf>) -> Result<(u32, bool), Problem> {
    super::limit_files(&read, &write).map(|limits| (limits.abi, limits.all_threads))
}

#[pyfunction]
fn bound_capabilities(keep: Vec<String>) -> Result<bool, Problem> {
    super::bound_capabilities(&keep)
}

#[pyfunction]
fn hold_capabilities(keep: Vec<String>) -> Result<bool, Problem> {
    super::hold_capabilities(&keep)
}

/// Adds them to the module.
pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let row = |row: &Denied| (row.call(), row.number, row.when.words(), row.fate.words(), row.reason);
    module.add("DENIED", PyTuple::new(module.py(), DENIED.iter().map(row))?)?;
    module.add_function(wrap_pyfunction!(deny_sending, module)?)?;
    module.add_function(wrap_pyfunction!(limit_files, module)?)?;
    module.add_function(wrap_pyfunction!(bound_capabilities, module)?)?;
    module.add_function(wrap_pyfunction!(hold_capabilities, module)?)
}
