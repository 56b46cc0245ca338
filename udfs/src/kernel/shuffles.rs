//! Tables of byte indices for the loops of `simd`. Must not know: anything else.

/// Byte indices that move a register down by n bytes, read from n on; 0x80 gives zero.
pub(super) const SLIDE: [u8; 32] = {
    let mut indices = [0x80; 32];
    let mut at = 0;
    while at < 16 {
        indices[at] = at as u8;
        at += 1;
    }
    indices
};

/// Ones in the first n bytes, read from 16 - n on.
pub(super) const KEEP: [u8; 32] = {
    let mut bytes = [0; 32];
    let mut at = 0;
    while at < 16 {
        bytes[at] = 0xff;
        at += 1;
    }
    bytes
};

/// For each mask of 8 values, the byte indices that bring the marked ones to the front.
pub(super) static FRONT: [[u8; 16]; 256] = {
    let mut table = [[0x80; 16]; 256];
    let mut mask = 0;
    while mask < 256 {
        let (mut from, mut to) = (0, 0);
        while from < 8 {
            if mask >> from & 1 == 1 {
                table[mask][2 * to] = 2 * from as u8;
                table[mask][2 * to + 1] = 2 * from as u8 + 1;
                to += 1;
            }
            from += 1;
        }
        mask += 1;
    }
    table
};
