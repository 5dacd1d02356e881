//! Classic BPF as seccomp(2) takes it: building blocks that each end by themselves, so that no jump has to be mended afterwards.
//!
//! A [`Block`] is a piece of program every path of which returns. Blocks are put together by [`either`], which chooses one of two by a
//! [`Condition`] on the accumulator, so a finished program is a tree without loops, as the kernel demands.

use crate::wire::Writer;

/// One instruction: `struct sock_filter` of linux/filter.h.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instruction {
    /// What it does: the constants below.
    pub(super) code: u16,
    /// How many instructions to skip when a jump's condition is true.
    pub(super) if_true: u8,
    /// How many to skip when it is false.
    pub(super) if_false: u8,
    /// The operand.
    pub(super) operand: u32,
}

/// Loads the 32 bits at an offset of `struct seccomp_data` into the accumulator: BPF_LD | BPF_W | BPF_ABS.
pub(super) const LOAD: u16 = 0x20;
/// Ands the accumulator with the operand: BPF_ALU | BPF_AND | BPF_K.
pub(super) const AND: u16 = 0x54;
/// Skips as many instructions as the operand says: BPF_JMP | BPF_JA.
pub(super) const JUMP: u16 = 0x05;
/// Jumps if the accumulator is equal to the operand: BPF_JMP | BPF_JEQ | BPF_K.
pub(super) const JUMP_EQUAL: u16 = 0x15;
/// Jumps if the accumulator, without sign, is the operand or more: BPF_JMP | BPF_JGE | BPF_K.
pub(super) const JUMP_AT_LEAST: u16 = 0x35;
/// Jumps if accumulator and operand have a bit in common: BPF_JMP | BPF_JSET | BPF_K.
pub(super) const JUMP_ANY_BIT: u16 = 0x45;
/// Ends the program with the operand: BPF_RET | BPF_K.
pub(super) const RETURN: u16 = 0x06;

/// The longest skip of a conditional jump, in instructions.
const SKIP_MAX: usize = 255;
/// The most instructions of a program: BPF_MAXINSNS of linux/bpf_common.h.
pub(super) const INSTRUCTIONS_MAX: usize = 4096;

/// A piece of program every path of which ends in a [`RETURN`].
pub(super) type Block = Vec<Instruction>;

/// What can be asked of the accumulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// It is this.
    Equal(u32),
    /// It is this or more, without sign.
    AtLeast(u32),
    /// It has one of these bits.
    AnyBit(u32),
}

const fn plain(code: u16, operand: u32) -> Instruction {
    Instruction {
        code,
        if_true: 0,
        if_false: 0,
        operand,
    }
}

/// Ends with `value`.
pub(super) fn end(value: u32) -> Block {
    vec![plain(RETURN, value)]
}

/// Loads the 32 bits at `offset` of `struct seccomp_data`, then goes on.
pub(super) fn load(offset: u32, mut then: Block) -> Block {
    then.insert(0, plain(LOAD, offset));
    then
}

/// Keeps only the bits of `mask` in the accumulator, then goes on.
pub(super) fn and(mask: u32, mut then: Block) -> Block {
    then.insert(0, plain(AND, mask));
    then
}

/// Goes on with `yes` if the condition holds, otherwise with `no`.
pub(super) fn either(condition: Condition, yes: Block, no: Block) -> Block {
    let (code, operand) = match condition {
        Condition::Equal(operand) => (JUMP_EQUAL, operand),
        Condition::AtLeast(operand) => (JUMP_AT_LEAST, operand),
        Condition::AnyBit(operand) => (JUMP_ANY_BIT, operand),
    };
    let mut block = match u8::try_from(no.len()) {
        // `no` comes first; `yes` is reached by skipping it.
        Ok(if_true) if no.len() <= SKIP_MAX => {
            vec![Instruction {
                code,
                if_true,
                if_false: 0,
                operand,
            }]
        }
        // A conditional jump can't reach that far, an unconditional one can.
        _ => vec![
            Instruction {
                code,
                if_true: 0,
                if_false: 1,
                operand,
            },
            plain(JUMP, u32::try_from(no.len()).unwrap_or(u32::MAX)),
        ],
    };
    block.extend(no);
    block.extend(yes);
    block
}

/// A program as the kernel takes it: `struct sock_filter[]`, 8 bytes each.
pub(super) fn bytes(program: &[Instruction]) -> Vec<u8> {
    program
        .iter()
        .fold(Writer::default(), |writer, at| {
            // Both architectures are little-endian, as `Writer` is.
            writer
                .u16(at.code)
                .u8(at.if_true)
                .u8(at.if_false)
                .u32(at.operand)
        })
        .finish()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// `struct seccomp_data`.
    #[derive(Debug, Clone, Copy)]
    pub(in crate::sandbox) struct Data {
        pub(in crate::sandbox) number: u32,
        pub(in crate::sandbox) arch: u32,
        pub(in crate::sandbox) arguments: [u64; 6],
    }

    impl Data {
        fn word(&self, offset: u32) -> u32 {
            let at = offset as usize;
            assert_eq!(at % 4, 0, "unaligned load");
            match at {
                0 => self.number,
                4 => self.arch,
                16..64 => {
                    let argument = self.arguments[(at - 16) / 8];
                    if at.is_multiple_of(8) {
                        (argument & 0xffff_ffff) as u32
                    } else {
                        (argument >> 32) as u32
                    }
                }
                _ => panic!("load at {at}"),
            }
        }
    }

    /// Runs a program as the kernel does. Also counts the instructions that ran.
    pub(in crate::sandbox) fn run(program: &[Instruction], data: &Data) -> (u32, usize) {
        let (mut accumulator, mut at, mut count) = (0_u32, 0_usize, 0);
        loop {
            let instruction = program[at];
            at += 1;
            count += 1;
            let operand = instruction.operand;
            let jump = |holds: bool| {
                usize::from(if holds {
                    instruction.if_true
                } else {
                    instruction.if_false
                })
            };
            match instruction.code {
                LOAD => accumulator = data.word(operand),
                AND => accumulator &= operand,
                JUMP => at += operand as usize,
                JUMP_EQUAL => at += jump(accumulator == operand),
                JUMP_AT_LEAST => at += jump(accumulator >= operand),
                JUMP_ANY_BIT => at += jump(accumulator & operand != 0),
                RETURN => return (operand, count),
                other => panic!("instruction {other:#x}"),
            }
        }
    }

    #[test]
    fn a_choice_reaches_over_blocks_longer_than_a_conditional_jump() {
        for length in [1_u32, 254, 255, 256, 257, 700] {
            let mut no = end(0);
            for _ in 1..length {
                no = and(u32::MAX, no);
            }
            let program = load(0, either(Condition::Equal(7), end(1), no));
            let data = |number| Data {
                number,
                arch: 0,
                arguments: [0; 6],
            };
            assert_eq!(run(&program, &data(7)).0, 1, "length {length}");
            assert_eq!(run(&program, &data(8)).0, 0, "length {length}");
        }
    }

    #[test]
    fn instructions_have_the_layout_of_the_kernel() {
        let program = either(Condition::AtLeast(0x0102_0304), end(5), end(6));
        assert_eq!(
            bytes(&program),
            [
                0x35, 0, 1, 0, 4, 3, 2, 1, 6, 0, 0, 0, 6, 0, 0, 0, 6, 0, 0, 0, 5, 0, 0, 0
            ]
        );
    }
}
