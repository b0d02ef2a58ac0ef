//! The common code of targets that consist of one file, such as an export. The file is read into memory, edited there,
//! and replaced as a whole.

use std::path::{Path, PathBuf};

use super::{KeyChange, Lock, TargetError, WriteError, WriteFailure, lock::lock_beside};
use crate::files::replace::{remove_leftovers, replace_file};

/// The file of a target, and the document that was read from it.
#[derive(Debug)]
pub(super) struct Loaded<D> {
    /// The path of the file with links resolved. So all paths of the file lead to the same lock, and a write does not
    /// replace a link.
    pub(super) path: PathBuf,
    pub(super) document: D,
    /// Whether `document` may differ from the file because of a failed operation. If so, the file must be read again
    /// before the next answer.
    is_stale: bool,
}

impl<D> Loaded<D> {
    pub(super) fn new(path: PathBuf, document: D) -> Self {
        Self { path, document, is_stale: false }
    }

    /// Returns the path of the file as text for messages.
    pub(super) fn place(&self) -> String {
        self.path.display().to_string()
    }
}

/// A target that consists of one file.
pub(super) trait OneFile {
    /// The type of the document that is read from the file and kept in memory.
    type Document: Clone;

    fn file(&mut self) -> &mut Loaded<Self::Document>;

    /// Reads the file.
    ///
    /// # Errors
    /// Returns [`TargetError`] if the file cannot be read or is not valid.
    fn load(&mut self) -> Result<Self::Document, TargetError>;

    /// Makes the changes in memory. Before each change, the present state is checked against the `before` of the
    /// change.
    ///
    /// # Errors
    /// Returns the error of the first change that cannot be made. The changes before it stay in memory.
    fn carry_out(&mut self, changes: &[KeyChange]) -> Result<(), WriteError>;

    /// Checks whether the changes in memory can be read back and undone. The check may leave the changes undone.
    ///
    /// # Errors
    /// Returns the error of a change that cannot be read back or undone.
    fn try_undo(&mut self, changes: &[KeyChange]) -> Result<(), WriteError>;

    /// Returns the files to replace, in this order, with their new bytes.
    ///
    /// # Errors
    /// Returns the reason why the files cannot be written.
    fn replacements(&mut self) -> Result<Replacements, WriteError>;

    /// Replaces the files.
    ///
    /// # Errors
    /// Returns [`NotReplaced`] for the first file that cannot be replaced.
    fn replace(&mut self, files: &Replacements) -> Result<(), NotReplaced> {
        // A new file may be in place in spite of an error.
        files.iter().try_for_each(|(path, bytes)| {
            replace_file(path, bytes).map_err(|source| NotReplaced { error: refused(path, source), is_restored: false })
        })
    }
}

/// Files to replace, with their new bytes.
pub(super) type Replacements = Vec<(PathBuf, Vec<u8>)>;

/// The error if a file could not be replaced.
#[derive(Debug)]
pub(super) struct NotReplaced {
    pub(super) error: WriteError,
    /// Whether it is certain that all files have the same bytes as before.
    pub(super) is_restored: bool,
}

/// The document of a target after changes in memory, and the files to replace to write these changes.
#[derive(Debug)]
pub(super) struct Prepared<T: OneFile> {
    document: T::Document,
    files: Replacements,
}

/// Reads the file again if the document in memory may differ from it after a failed [`lock()`] or [`write()`]. Does not
/// notice changes by other programs.
pub(super) fn refresh(target: &mut impl OneFile) -> Result<(), TargetError> {
    if target.file().is_stale { reload(target) } else { Ok(()) }
}

fn reload(target: &mut impl OneFile) -> Result<(), TargetError> {
    // If the file cannot be read, the document that was read before is not valid any more.
    target.file().is_stale = true;
    let document = target.load()?;
    let file = target.file();
    (file.document, file.is_stale) = (document, false);
    Ok(())
}

/// Takes the lock of the target, removes temporary files of killed processes, and reads the file again.
pub(super) fn lock(target: &mut impl OneFile) -> Result<Lock, TargetError> {
    let file = target.file();
    file.is_stale = true;
    let lock = lock_beside(&file.path)?;
    // It is not an error if leftovers of an earlier run cannot be removed.
    let _ = remove_leftovers(&file.path);
    reload(target)?;
    Ok(lock)
}

/// Makes the changes and undoes them, in memory only, to check whether they can be written.
pub(super) fn rehearse(target: &mut impl OneFile, changes: &[KeyChange]) -> Result<(), WriteError> {
    if changes.is_empty() {
        return Ok(());
    }
    let place = target.file().place();
    refresh(target).map_err(|error| error.refusal(&place))?;
    let before = target.file().document.clone();
    let made = target.carry_out(changes);
    let made = made.and_then(|()| target.replacements()).and_then(|_| target.try_undo(changes));
    target.file().document = before;
    made
}

/// Makes the changes in memory, and writes them to disk by replacing the target's files. Without changes, does nothing.
pub(super) fn write(target: &mut impl OneFile, changes: &[KeyChange]) -> Result<(), WriteFailure> {
    if changes.is_empty() {
        return Ok(());
    }
    let prepared = prepare(target, changes)?;
    replace(target, prepared, changes)
}

/// Makes the changes in memory, and checks whether they can be undone. Nothing is written to disk yet.
pub(super) fn prepare<T: OneFile>(target: &mut T, changes: &[KeyChange]) -> Result<Prepared<T>, WriteError> {
    let place = target.file().place();
    // The file is read again, because another program may have edited it without taking the lock.
    reload(target).map_err(|error| error.refusal(&place))?;
    // After a failure, some changes may be in memory only, or the new file may be in place anyway.
    target.file().is_stale = true;
    target.carry_out(changes)?;
    let files = target.replacements()?;
    let document = target.file().document.clone();
    target.try_undo(changes)?;
    Ok(Prepared { document, files })
}

/// Replaces the files, to write changes that were prepared in memory.
pub(super) fn replace<T: OneFile>(
    target: &mut T,
    prepared: Prepared<T>,
    changes: &[KeyChange],
) -> Result<(), WriteFailure> {
    target.replace(&prepared.files).map_err(|NotReplaced { error, is_restored }| {
        let begun = if is_restored { Vec::new() } else { changes.to_vec() };
        WriteFailure { error, begun }
    })?;
    let file = target.file();
    (file.document, file.is_stale) = (prepared.document, false);
    Ok(())
}

/// Returns a file to replace and its new bytes, if these are at most `most` bytes, which is the limit for reading the
/// file again.
///
/// # Errors
/// Returns [`WriteError::Unsupported`] if there are more than `most` bytes.
pub(super) fn readable(path: &Path, bytes: Vec<u8>, most: usize) -> Result<(PathBuf, Vec<u8>), WriteError> {
    if bytes.len() > most {
        let detail = format!("the file would have {} bytes, and kbfix reads no more than {most}", bytes.len());
        return Err(WriteError::Unsupported { place: path.display().to_string(), detail });
    }
    Ok((path.to_owned(), bytes))
}

/// Returns the error for a file that cannot be read or replaced.
pub(super) fn refused(path: &Path, source: std::io::Error) -> WriteError {
    let place = path.display().to_string();
    match source.kind() {
        std::io::ErrorKind::PermissionDenied => WriteError::Denied { place },
        _ => WriteError::Io { place, source },
    }
}
