//! Frames by addresses, with what was read of files and perf maps kept for the next one.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use wbd_linux::gate::Identity;
use wbd_linux::symbols::{FileId, Function, Kernel, MappedFile, PerfMap};
use wbd_model::profile::{Frame, Layer};

use super::layer;
use super::space::Place;

/// What is known of functions.
#[derive(Debug)]
pub(super) struct Names {
    caller: Identity,
    kernel: HashMap<u64, Frame>,
    files: HashMap<(PathBuf, FileId), Option<MappedFile>>,
    in_files: HashMap<(FileId, u64), Option<Function>>,
    perf_maps: HashMap<u32, PerfMap>,
    warnings: BTreeSet<String>,
}

impl Names {
    /// Nothing yet; files are read with the caller's rights, and perf maps believed if they are theirs.
    pub(super) fn new(caller: &Identity) -> Self {
        Self {
            caller: caller.clone(),
            kernel: HashMap::new(),
            files: HashMap::new(),
            in_files: HashMap::new(),
            perf_maps: HashMap::new(),
            warnings: BTreeSet::new(),
        }
    }

    /// Why functions have no names.
    pub(super) fn warnings(self) -> Vec<String> {
        self.warnings.into_iter().collect()
    }

    /// Looks the kernel's functions up, all at once: the kernel's list is long.
    pub(super) fn learn_kernel(&mut self, addresses: impl Iterator<Item = u64>) {
        let addresses: Vec<u64> = addresses.collect::<BTreeSet<_>>().into_iter().collect();
        if addresses.is_empty() {
            return;
        }
        let names = Kernel::default().names(&addresses);
        let frame = |(address, name): (u64, Option<String>)| (address, in_kernel(address, name));
        self.kernel = addresses.into_iter().zip(names).map(frame).collect();
    }

    /// The kernel's function at an address that was learnt.
    pub(super) fn kernel(&self, address: u64) -> Frame {
        let known = self.kernel.get(&address).cloned();
        known.unwrap_or_else(|| in_kernel(address, None))
    }

    /// The function at a place in a file.
    pub(super) fn in_file(&mut self, place: Place<'_>, of_engine: bool) -> Frame {
        let path = &place.file.path;
        let found = self.function(place);
        let layer = layer::of_file(path, found.as_ref(), of_engine);
        let module = module(path);
        Frame {
            function: found.map_or_else(
                || format!("{module}+{:#x}", place.offset),
                |function| function.name,
            ),
            module,
            layer,
        }
    }

    fn function(&mut self, place: Place<'_>) -> Option<Function> {
        let key = (place.file.id, place.offset);
        if let Some(known) = self.in_files.get(&key) {
            return known.clone();
        }
        let file = self.file(&place.file.path, place.file.id);
        let found = file.and_then(|file| file.functions(&[place.offset]).pop().flatten());
        self.in_files.insert(key, found.clone());
        found
    }

    fn file(&mut self, path: &Path, id: FileId) -> Option<&MappedFile> {
        let opened = self.files.entry((path.to_owned(), id)).or_insert_with(|| {
            // The kernel's own, such as `[vdso]`, is no file.
            let opened = path
                .is_absolute()
                .then(|| MappedFile::open(path, id, &self.caller))?;
            opened
                .map_err(|error| self.warnings.insert(error.to_string()))
                .ok()
        });
        opened.as_ref()
    }

    /// The function at an address where no file is mapped: a JIT's, as its perf map tells. Without a map, code of a
    /// process that runs an engine can only be the guest's, if the address is certain to be one of code.
    pub(super) fn without_file(&mut self, pid: u32, address: u64, certainly_engines: bool) -> Frame {
        let found = self.perf_map(pid).find(address);
        let layer = match &found {
            Some(function) => layer::compiled(function.origin),
            None if certainly_engines => Layer::Guest,
            None => Layer::Unknown,
        };
        Frame {
            function: found.map_or_else(|| unnamed(layer).to_owned(), |function| function.name),
            module: String::new(),
            layer,
        }
    }

    fn perf_map(&mut self, pid: u32) -> &PerfMap {
        self.perf_maps.entry(pid).or_insert_with(|| {
            PerfMap::of_process(pid, self.caller.uid).unwrap_or_else(|error| {
                self.warnings.insert(error.to_string());
                PerfMap::default()
            })
        })
    }
}

/// Addresses outside files differ from run to run, and tell nothing: a JIT's code, the kernel's own `[vdso]`.
fn unnamed(layer: Layer) -> &'static str {
    match layer {
        Layer::Guest => "[compiled guest]",
        _ => "[in no file]",
    }
}

fn in_kernel(address: u64, name: Option<String>) -> Frame {
    Frame {
        function: name.unwrap_or_else(|| format!("{address:#x}")),
        module: "kernel".to_owned(),
        layer: Layer::Kernel,
    }
}

fn module(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}
