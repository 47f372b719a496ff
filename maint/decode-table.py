#!/usr/bin/env python3
"""Make decode-table.c from decode-table.txt.

usage: decode-table.py [--check] TABLE OUTPUT

With --check, OUTPUT is not written, but must be what would be.  The format
is described at the head of the table; the numbers here are those of
decode-table.h.
"""

import io
import re
import sys
import textwrap

MAPS = ['legacy0', 'legacy1', 'legacy2', 'legacy3', 'vex1', 'vex2', 'vex3',
        'vex5', 'vex7', 'evex1', 'evex2', 'evex3', 'none', 'evex5', 'evex6',
        'xop8', 'xop9', 'xop10', '3dnow']

# Immediates of encodings without a row, where the map fixes them.
MAP_IMM = {'legacy3': 'IMM_8', 'vex3': 'IMM_8', 'vex7': 'IMM_32',
           'evex3': 'IMM_8', 'xop8': 'IMM_8', 'xop10': 'IMM_32',
           '3dnow': 'IMM_NONE'}
VECTOR_MAP1_IMM = {0x70, 0x71, 0x72, 0x73, 0xc2, 0xc4, 0xc5, 0xc6}

PP = {'np': 0, '66': 1, 'f3': 2, 'f2': 3}
SIZES = {'b': 'SIZE_1', 'w': 'SIZE_2', 'd': 'SIZE_4', 'q': 'SIZE_8',
         't': 'SIZE_10', 'o': 'SIZE_16', 'p': 'SIZE_32', 'z': 'SIZE_64',
         'v': 'SIZE_V', 'y': 'SIZE_Y', 'x': 'SIZE_X', 'h': 'SIZE_H',
         'f': 'SIZE_F', 'e': 'SIZE_E', 'u': 'SIZE_U', 'far': 'SIZE_FAR',
         'desc': 'SIZE_DESC', 'env': 'SIZE_ENV', 'fsave': 'SIZE_FSAVE',
         'xsave': 'SIZE_XSAVE', 'a': 'SIZE_A', '#48': 'SIZE_48',
         '#512': 'SIZE_512', '': 'SIZE_NONE'}
FLAGS = {'c': 1 << 0, 'p': 1 << 2, 'a': 1 << 4, 'z': 1 << 6, 's': 1 << 7,
         't': 1 << 8, 'i': 1 << 9, 'd': 1 << 10, 'o': 1 << 11, 'v': 1 << 1}
CC = ['o', 'c', 'z', 'cz', 's', 'p', 'so', 'zso']
GPR = {n: 1 << k for k, n in enumerate(
    'ax cx dx bx sp bp si di r8 r9 r10 r11 r12 r13 r14 r15'.split())}
GPR['all'] = 0xffff
BRANCH = {'jcc': 'INSN_JCC', 'loop': 'INSN_LOOP', 'jmp': 'INSN_JMP',
          'call': 'INSN_CALL', 'jmp_ind': 'INSN_JMP_IND',
          'call_ind': 'INSN_CALL_IND', 'ret': 'INSN_RET', 'far': 'INSN_FAR',
          'syscall': 'INSN_SYSCALL', 'sysenter': 'INSN_SYSENTER',
          'int': 'INSN_INT', 'int3': 'INSN_INT3', 'int1': 'INSN_INT1',
          'ud': 'INSN_UD', 'hlt': 'INSN_HLT', 'xbegin': 'INSN_XBEGIN'}
PROPERTY = {'priv': ['INSN_PRIVILEGED'], 'nondet': ['INSN_NONDETERMINISTIC'],
            'serial': ['INSN_SERIALISING'], 'x87pc': ['INSN_X87_PC'],
            'fsbase': ['INSN_FS_BASE'], 'gsbase': ['INSN_GS_BASE'],
            'fspush': ['INSN_FS_BASE'], 'gspush': ['INSN_GS_BASE'],
            'string': ['INSN_STRING'], 'settf': ['INSN_SETS_TF'],
            'unknown': ['INSN_UNKNOWN']}
ROW_FLAG = {'lock': 'ROW_LOCKABLE', 'autolock': 'ROW_AUTOLOCK',
            'regform': 'ROW_REGFORM', 'shift': 'ROW_SHIFT', 'io': 'ROW_IO',
            'byte': 'ROW_BYTE', 'string': 'ROW_REP', 'seg': 'ROW_SEG',
            'invalid': 'ROW_INVALID'}
MEMORY = {'push': 'MEM_PUSH', 'pop': 'MEM_POP', 'enter': 'MEM_ENTER',
          'leave': 'MEM_LEAVE', 'retf': 'MEM_RETF', 'iret': 'MEM_IRET',
          'uiret': 'MEM_UIRET', 'callf': 'MEM_CALLF', 'xlat': 'MEM_XLAT',
          'maskmovq': 'MEM_MASKMOVQ', 'maskmovdqu': 'MEM_MASKMOVDQU',
          'clzero': 'MEM_CLZERO', 'dest64': 'MEM_DEST64', 'bit': 'MEM_BIT',
          'vsib4': 'MEM_VSIB4', 'vsib8': 'MEM_VSIB8',
          'unknown': 'MEM_UNKNOWN'}
STACK = {'push', 'pop', 'enter', 'leave', 'retf', 'iret', 'uiret',
         'callf'}
SEGMENTED = {'xlat', 'maskmovq', 'maskmovdqu', 'clzero'}

# Dimensions of the key: name, shift, mask, in the order of selection.
DIMS = [('pp', 0, 3), ('x', 2, 1), ('reg', 6, 7), ('rm', 3, 7), ('w', 9, 1),
        ('l', 10, 3), ('rb', 12, 1)]


class Row:
    """One line of the table, for one opcode."""

    def __init__(self):
        self.where = {}          # dimension -> set of values
        self.name = ''
        self.modrm = False
        self.props, self.flags = set(), set()
        self.fread = self.fwritten = 0
        self.gread = self.gwritten = 0
        self.branch, self.imm, self.memory = 'INSN_NO_BRANCH', [], 'MEM_NONE'
        self.rm, self.rm_size = set(), 'SIZE_NONE'
        self.slots = {k: None for k in ('reg', 'vvvv', 'opc', 'acc', 'dx')}
        self.elem, self.disp8 = [], 'SIZE_NONE'
        self.string = 0

    def key(self):
        def union(parts):
            return ' | '.join(sorted(parts)) or '0'

        def slot(s):
            return union(s) if s else '0'
        return ('{%s, %s, %#x, %#x, %#x, %#x, %s, %s, %s, %s, %s, %s, %s, %s,'
                ' %s, %s, %s, %s, %d}' % (
                    union(self.props), union(self.flags), self.fread,
                    self.fwritten, self.gread, self.gwritten, self.branch,
                    imm_kind(self.imm), union(self.rm), self.rm_size,
                    slot(self.slots['reg']), slot(self.slots['vvvv']),
                    slot(self.slots['opc']), slot(self.slots['acc']),
                    slot(self.slots['dx']), union(self.elem), self.disp8,
                    self.memory, self.string))


def imm_kind(tokens):
    kinds = {'': 'IMM_NONE', 'Ib': 'IMM_8', 'Iw': 'IMM_16', 'Iz': 'IMM_Z',
             'Iv': 'IMM_V', 'Iw Ib': 'IMM_16_8', 'Ib Ib': 'IMM_8_8',
             'Jb': 'IMM_J8', 'Jz': 'IMM_JZ', 'F': 'IMM_OFFSET',
             'Id': 'IMM_32', 'Iz Iw': 'IMM_FAR'}
    return kinds[' '.join(tokens)]


def flag_bits(letters, opcode):
    if letters == 'cc':
        letters = CC[opcode >> 1 & 7]
    return sum(FLAGS[c] for c in set(letters.replace('*', 'oszapc')))


OPERAND = re.compile(r'^([=+~^?]?)([EGRMBZADVWUHLPQNkjKTSCOIJF])'
                     r'(#\d+|[a-z]*)(?:([.:])([a-z])(@?))?(?:!([a-z]))?$')


def parse_memory(row, word):
    name, _, access = word.partition('=')
    if name in ('src', 'dst'):
        bits = {'r': 1, 'w': 2}[access]
        row.string |= bits << (0 if name == 'src' else 2)
        row.memory = 'MEM_STRING'
        if name == 'src':
            row.flags.add('ROW_SEG')
    elif name == 'count':
        row.flags.add('ROW_COUNT')
    elif name == 'estr':
        row.gread |= GPR['ax'] | GPR['dx']
    elif name == 'masked':
        row.flags.add('ROW_MASKED')
    else:
        row.memory = MEMORY[name]
    if name in STACK:
        row.props.add('INSN_STACK')
        row.gread |= GPR['sp']
        row.gwritten |= GPR['sp']
    if name in SEGMENTED:
        row.flags.add('ROW_SEG')


def parse_attribute(row, word, opcode):
    """Take an attribute; false when WORD is none."""
    if word[0] in '<>?' and set(word[1:]) <= set('oszapcditv*'):
        bits = flag_bits(word[1:], opcode)
        if word[0] in '<?':
            row.fread |= bits
        if word[0] in '>?':
            row.fwritten |= bits
    elif re.match(r'(r|w|rw):', word):
        how, regs = word.split(':')
        bits = 0
        for r in regs.split(','):
            bits |= GPR[r]
        if 'r' in how:
            row.gread |= bits
        if 'w' in how:
            row.gwritten |= bits
    elif word[0] == '@':
        row.branch = BRANCH[word[1:]]
    elif word.startswith('mem:'):
        parse_memory(row, word[4:])
    elif word[0] == '#':
        if word[1:] not in PROPERTY and word[1:] not in ROW_FLAG:
            return False
        row.props.update(PROPERTY.get(word[1:], []))
        if word[1:] in ROW_FLAG:
            row.flags.add(ROW_FLAG[word[1:]])
    elif word in ('d64', 'f64'):
        row.flags.add('ROW_' + word.upper())
    else:
        return False
    return True


def access_bits(access):
    return {'': 'r', '=': 'w', '+': 'rw', '?': 'rw', '~': '', '^': 'p'}[access]


def slot_bits(how, size):
    bits = {SIZES[size]}
    if 'r' in how:
        bits.add('SLOT_READ')
    if 'w' in how:
        bits.add('SLOT_WRITE')
    return bits if len(bits) > 1 else None


def parse_rm(row, place, how, size):
    row.modrm = True
    row.rm_size = SIZES[size]
    names = {'r': 'INSN_READ', 'w': 'INSN_WRITE', 'p': 'INSN_PREFETCH'}
    if place in 'RUN' and 'ROW_REGFORM' not in row.flags:
        row.where['x'] = {1}
    if place == 'M':
        row.where['x'] = {0}
    if place in 'ER':
        row.rm.add('RM_GPR')
    if place in 'EMWQK' and how:
        row.rm.add('RM_MEMORY')
    if place in 'EMWQKR':
        row.rm.update(names[c] for c in how)


def parse_operand(row, word, opcode, first):
    m = OPERAND.match(word)
    if not m:
        raise ValueError('bad word: ' + word)
    access, place, size, sep, elem, whole, disp8 = m.groups()
    how = access_bits(access)
    if place in 'ERMWUQNK':
        parse_rm(row, place, how, size)
        if elem and place in 'MW':
            row.elem = {SIZES[elem]}
            if sep == '.':
                row.elem.add('ELEM_BROADCAST')
            if not whole:
                row.elem.add('ELEM_PACKED' if disp8 else 'ELEM_MASKED')
        if disp8:
            row.disp8 = SIZES[disp8]
    elif place in 'GVPkTSCO':
        row.modrm = True
        if place == 'G':
            row.slots['reg'] = slot_bits(how, size)
    elif place in 'BZAD':
        where = {'B': 'vvvv', 'Z': 'opc', 'A': 'acc', 'D': 'dx'}[place]
        row.slots[where] = slot_bits(how, size)
    elif place in 'IJ':
        row.imm.append(place + size)
    elif place == 'F':
        row.imm.append('F')
        row.memory = 'MEM_OFFSET_W' if 'w' in how else 'MEM_OFFSET_R'
        row.flags.add('ROW_SEG')
    elif place == 'L' and not row.imm:
        row.imm.append('Ib')
    if first and place in 'EGAZM' and size == 'b':
        row.flags.add('ROW_BYTE')


def parse_where(row, reg, quals):
    if reg is not None:
        row.where['reg'] = {int(reg)}
    for q in quals:
        if q in ('m', 'x'):
            row.where['x'] = {int(q == 'x')}
        else:
            m = re.match(r'(rm|rb|w|l)(\d)$', q)
            row.where.setdefault(m.group(1), set()).add(int(m.group(2)))
    if set(row.where) & {'reg', 'x', 'rm'}:
        row.modrm = True


def parse_line(words):
    """Yield (opcode, Row) for one line."""
    pp = None
    if all(w in PP for w in words[0].split(',')) and (
            words[0] != '66' or re.match(r'[0-9a-f]{2}', words[1])):
        pp = {PP[w] for w in words.pop(0).split(',')}
    m = re.match(r'([0-9a-f]{2})(?:\+([rc]))?(?:/(\d))?(?:\|(.*))?$', words[0])
    start = int(m.group(1), 16)
    count = {'r': 8, 'c': 16, None: 1}[m.group(2)]
    for opcode in range(start, start + count):
        row = Row()
        row.name = words[1]
        if pp is not None:
            row.where['pp'] = pp
            if pp == {1}:
                row.flags.add('ROW_M66')
        if '#regform' in words:
            row.flags.add('ROW_REGFORM')
        first = True
        for w in words[2:]:
            if w == '<cc':
                row.fread |= flag_bits('cc', opcode)
            elif not (w[0] in '<>@#' or ':' in w[:4] and w[0] in 'rwm'
                      or w in ('d64', 'f64')
                      or w[0] == '?' and w[1:2].islower() or w == '?*'):
                parse_operand(row, w, opcode, first)
                first = False
            elif not parse_attribute(row, w, opcode):
                raise ValueError('bad word: ' + w)
        parse_where(row, m.group(3), (m.group(4) or '').split(',')
                    if m.group(4) else [])
        yield opcode, row


class Table:
    def __init__(self):
        self.rows, self.row_index, self.row_names = [], {}, []
        self.nodes, self.node_index = [], {}
        invalid = Row()
        invalid.name = '(invalid)'
        invalid.flags.add('ROW_INVALID')
        invalid.branch = 'INSN_UD'
        self.intern(invalid)

    def intern(self, row):
        key = row.key()
        if key not in self.row_index:
            self.row_index[key] = len(self.rows)
            self.rows.append(key)
            self.row_names.append([])
        k = self.row_index[key]
        if row.name not in self.row_names[k]:
            self.row_names[k].append(row.name)
        return k

    def unknown(self, imm):
        row = Row()
        row.name = '(unknown)'
        row.props.add('INSN_UNKNOWN')
        row.gread = row.gwritten = 0xffff
        row.fread = row.fwritten = 0xed7
        row.memory = 'MEM_UNKNOWN'
        row.flags.add('ROW_SEG')
        row.imm = {'IMM_NONE': [], 'IMM_8': ['Ib'], 'IMM_32': ['Id'],
                   'IMM_8_8': ['Ib', 'Ib'], 'IMM_Z': ['Iz'],
                   'IMM_JZ': ['Jz']}[imm]
        return self.intern(row)

    def build(self, rows, default, dims):
        """The entry for ROWS, of which DIMS are still to be selected."""
        while dims and not any(dims[0][0] in r.where for r in rows):
            dims = dims[1:]
        if not dims:
            return self.pick(rows, default)
        name, shift, mask = dims[0]
        kids = []
        for v in range(mask + 1):
            sub = [r for r in rows
                   if name not in r.where or v in r.where[name]]
            kids.append(self.build(sub, default, dims[1:]))
        if len(set(kids)) == 1:
            return kids[0]
        key = (shift | mask << 8, *kids)
        if key not in self.node_index:
            self.node_index[key] = len(self.nodes)
            self.nodes.extend(key)
        return 0x8000 | self.node_index[key]

    def pick(self, rows, default):
        if not rows:
            return default
        best = max(len(r.where) for r in rows)
        chosen = [r for r in rows if len(r.where) == best]
        if len({r.key() for r in chosen}) > 1:
            raise ValueError('ambiguous: ' + ', '.join(
                r.name + str(r.where) for r in chosen))
        return self.intern(chosen[0])


def default_entry(table, name, opcode, rows):
    """The entry for encodings of OPCODE that no row of ROWS matches."""
    if name.startswith('legacy0'):
        return table.unknown('IMM_NONE') if 0xd8 <= opcode <= 0xdf else 0
    if name == 'legacy1':
        imms = {imm_kind(r.imm) for r in rows}
        if not rows:
            return 0
        return table.unknown(imms.pop() if len(imms) == 1 else 'IMM_NONE')
    imm = MAP_IMM.get(name, 'IMM_NONE')
    if name in ('vex1', 'evex1') and opcode in VECTOR_MAP1_IMM:
        imm = 'IMM_8'
    return table.unknown(imm)


def build_roots(table, spec):
    roots = []
    for name in MAPS:
        line = []
        for opcode in range(256):
            rows = spec.get((name, opcode), [])
            default = default_entry(table, name, opcode, rows)
            modrm = any(r.modrm for r in rows)
            if not rows and default:
                modrm = not (name in ('vex1',) and opcode == 0x77)
            if name == '3dnow':
                modrm = True
            entry = table.build(rows, default, DIMS)
            line.append(entry | (0x4000 if modrm else 0))
        roots.append(line)
    return roots


def read_spec(path):
    spec, name = {}, None
    for number, text in enumerate(open(path), 1):
        text = text.split('# ')[0] if text.startswith('#') else text
        if text.startswith('#') or not text.strip():
            continue
        words = text.split()
        if words[0] == '@map':
            name = words[1]
            assert name in MAPS, name
            continue
        try:
            for opcode, row in parse_line(words):
                spec.setdefault((name, opcode), []).append(row)
        except (ValueError, KeyError, AttributeError) as e:
            sys.exit('%s:%d: %r: %s' % (path, number, e, text.strip()))
    return spec


def write(out, table, roots):
    out.write('/* Made by maint/decode-table.py from decode-table.txt: '
              'edit that.  */\n\n#include "arch/x86-64/decode-table.h"\n\n')
    out.write('const uint16_t decode_roots[N_MAPS][256] = {\n')
    for name, line in zip(MAPS, roots):
        out.write('  { /* %s */\n' % name)
        for k in range(0, 256, 8):
            out.write('    %s,\n' % ', '.join('%#06x' % e
                                              for e in line[k:k + 8]))
        out.write('  },\n')
    out.write('};\n\nconst uint16_t decode_nodes[] = {\n')
    for k in range(0, len(table.nodes), 8):
        out.write('  %s,\n' % ', '.join('%#06x' % e
                                        for e in table.nodes[k:k + 8]))
    out.write('};\n\nconst struct insn_row decode_rows[] = {\n')
    for k, (row, names) in enumerate(zip(table.rows, table.row_names)):
        shown = ' '.join(names[:6]) + (' ...' if len(names) > 6 else '')
        out.write(textwrap.fill('/* %d: %s */' % (k, shown), 77,
                                initial_indent='  ',
                                subsequent_indent='     ') + '\n')
        out.write(textwrap.fill(row + ',', 77, initial_indent='  ',
                                subsequent_indent='   ') + '\n')
    out.write('};\n')


def main():
    check = '--check' in sys.argv
    source, target = [a for a in sys.argv[1:] if a != '--check']
    spec = read_spec(source)
    table = Table()
    roots = build_roots(table, spec)
    assert len(table.nodes) < 0x4000 and len(table.rows) < 0x4000
    out = io.StringIO()
    write(out, table, roots)
    if check:
        with open(target) as old:
            if old.read() != out.getvalue():
                sys.exit('%s is not made from %s' % (target, source))
    else:
        with open(target, 'w') as new:
            new.write(out.getvalue())
    print('%d rows, %d nodes' % (len(table.rows), len(table.nodes)))


main()
