"""What a file may measure. A refusal names the limit."""

MEGABYTE = 1 << 20

MAX_COLUMNS = 200
MAX_ROWS = 5_000_000
MAX_CELLS = 20_000_000  # of a worksheet, empty ones included: the reader holds 32 bytes for each
MAX_UNZIPPED = 600 * MEGABYTE
MAX_SHARED_TEXT = 2 << 30  # bytes that the shared strings could fill when every cell used the longest
MAX_CELL = 131_072  # characters of one CSV field; longer ones end the row, not the memory
NOTE_CHARACTERS = 2000
TEXT_CHARACTERS = 200
HEAD_BYTES = MEGABYTE
HEAD_ROWS = 40
