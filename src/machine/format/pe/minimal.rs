//! Builds small PE files that contain only a file version.
//!
//! The example machine and the tests use them, so that the repository contains no programs of other vendors.

use crate::version::FileVersion;

/// Returns the bytes of a 32-bit x86 DLL that contains only its file version.
pub fn dll(version: FileVersion) -> Vec<u8> {
    pe(object::pe::IMAGE_FILE_MACHINE_I386.0, false, 16, 1, &[block(version.0)])
}

/// A version resource in one language, to be written into a PE file.
pub(super) struct Block {
    pub(super) version: [u16; 4],
    pub(super) signature: u32,
}

pub(super) fn block(version: [u16; 4]) -> Block {
    Block { version, signature: 0xFEEF_04BD }
}

fn versioninfo(block: &Block) -> Vec<u8> {
    let [a, b, c, d] = block.version.map(u32::from);
    let mut out: Vec<u8> = [92_u16, 52, 0].iter().flat_map(|n| n.to_le_bytes()).collect();
    out.extend("VS_VERSION_INFO\0\0".encode_utf16().flat_map(u16::to_le_bytes));
    for number in [block.signature, 0x10000, a << 16 | b, c << 16 | d] {
        out.extend(number.to_le_bytes());
    }
    out.resize(92, 0);
    out
}

/// Returns a PE file with one section, at address 0x1000 and file offset 0x200, which contains the version resources.
/// `pe64` selects the 64-bit format. The resource directory lists the resources under `type_id` and `name_id`.
pub(super) fn pe(machine: u16, pe64: bool, type_id: u32, name_id: u32, blocks: &[Block]) -> Vec<u8> {
    const RVA: u32 = 0x1000;
    let directory = |ids: &[(u32, u32)]| {
        let mut out = vec![0; 14];
        out.extend((ids.len() as u16).to_le_bytes());
        ids.iter().for_each(|(id, at)| out.extend([id.to_le_bytes(), at.to_le_bytes()].concat()));
        out
    };
    let down = 0x8000_0000_u32;
    let count = blocks.len() as u32;
    let entries_at = 24 + 24 + 16 + 8 * count;
    let blocks_at = entries_at + 16 * count;
    let mut rsrc = directory(&[(type_id, down | 24)]);
    rsrc.extend(directory(&[(name_id, down | 48)]));
    rsrc.extend(directory(&(0..count).map(|i| (0x409 + i, entries_at + 16 * i)).collect::<Vec<_>>()));
    for i in 0..count {
        rsrc.extend([RVA + blocks_at + 92 * i, 92, 0, 0].iter().flat_map(|n| n.to_le_bytes()));
    }
    blocks.iter().for_each(|b| rsrc.extend(versioninfo(b)));

    let mut out = vec![0; 64];
    out[..2].copy_from_slice(b"MZ");
    out[60] = 64;
    out.extend(b"PE\0\0");
    let optional = if pe64 { 240_u16 } else { 224 };
    for number in [machine, 1, 0, 0, 0, 0, 0, 0, optional, 0x2102] {
        out.extend(number.to_le_bytes());
    }
    let start = out.len();
    out.extend(if pe64 { 0x20B_u16 } else { 0x10B }.to_le_bytes());
    out.resize(start + usize::from(optional), 0);
    let directories = start + usize::from(optional) - 128;
    out[directories - 4] = 16;
    out[directories + 16..directories + 20].copy_from_slice(&RVA.to_le_bytes());
    out[directories + 20..directories + 24].copy_from_slice(&(rsrc.len() as u32).to_le_bytes());
    out.extend(b".rsrc\0\0\0");
    for number in [rsrc.len() as u32, RVA, rsrc.len() as u32, 0x200, 0, 0, 0, 0x4000_0040] {
        out.extend(number.to_le_bytes());
    }
    out.resize(0x200, 0);
    out.extend(rsrc);
    out
}
