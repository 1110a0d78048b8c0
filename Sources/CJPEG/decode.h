// libjpeg-turbo's decoder, for Swift. It reports an error by a long jump, so both ends of the jump lie in one C
// function and no Swift frame between them.
#pragma once
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

// What libjpeg said when it gave up, and where it jumps to then. The first member is what libjpeg knows of it.
typedef struct {
    struct jpeg_error_mgr errors;
    jmp_buf jump;
    char message[JMSG_LENGTH_MAX];
} atelier_jpeg_report;

// A file of a few bytes can have its pixels refined thousands of times (libjpeg-turbo, "Two Issues with the JPEG
// Standard"); encoders make some ten scans.
#define ATELIER_JPEG_SCANS 100

static void atelier_jpeg_fail(j_common_ptr decoder) {
    atelier_jpeg_report *report = (atelier_jpeg_report *)decoder->err;
    decoder->err->format_message(decoder, report->message);
    longjmp(report->jump, 1);
}

// Whether a file that merely lacks the mark of its end can be told from one that is cut off: in a single scan of
// Huffman codes every missing bit is a warning of its own (JWRN_HIT_MARKER).
static bool atelier_jpeg_misses_bits_aloud(j_decompress_ptr reader) {
    return !reader->progressive_mode && !reader->arith_code && reader->comps_in_scan == reader->num_components;
}

// Warnings are of damage that libjpeg paints over in grey: no picture to learn from. These harm no pixel: bytes between
// segments and zeros in the header of a baseline scan, which cameras write; a version of JFIF and a kind of Adobe's
// segment that are not known; a missing end.
static void atelier_jpeg_warn(j_common_ptr decoder, int level) {
    if (level >= 0) return;
    switch (decoder->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_NOT_SEQUENTIAL:
    case JWRN_JFIF_MAJOR:
    case JWRN_ADOBE_XFORM: return;
    case JWRN_JPEG_EOF:
        if (atelier_jpeg_misses_bits_aloud((j_decompress_ptr)decoder)) return;
    }
    atelier_jpeg_fail(decoder);
}

static void atelier_jpeg_count_scans(j_common_ptr decoder) {
    j_decompress_ptr reader = (j_decompress_ptr)decoder;
    if (reader->input_scan_number <= ATELIER_JPEG_SCANS) return;
    atelier_jpeg_report *report = (atelier_jpeg_report *)decoder->err;
    snprintf(report->message, sizeof report->message, "it has more than %d scans", ATELIER_JPEG_SCANS);
    longjmp(report->jump, 1);
}

// Decodes a file of width × height pixels: into rgb, 3 · width · height bytes, or where it has four components into
// C M Y K, 4 · width · height bytes. False where it is damaged, with the message set.
static inline bool atelier_jpeg_decode(const unsigned char *bytes, size_t count, unsigned width, unsigned height,
                                       bool is_cmyk, unsigned char *pixels, atelier_jpeg_report *report) {
    struct jpeg_decompress_struct decoder;
    struct jpeg_progress_mgr progress = {.progress_monitor = atelier_jpeg_count_scans};
    decoder.err = jpeg_std_error(&report->errors);
    report->errors.error_exit = atelier_jpeg_fail;
    report->errors.emit_message = atelier_jpeg_warn;
    jpeg_create_decompress(&decoder);
    if (setjmp(report->jump)) {
        jpeg_destroy_decompress(&decoder);
        return false;
    }
    decoder.progress = &progress;
    jpeg_mem_src(&decoder, bytes, count);
    jpeg_read_header(&decoder, TRUE);
    decoder.out_color_space = is_cmyk ? JCS_CMYK : JCS_RGB;
    unsigned channels = is_cmyk ? 4 : 3;
    jpeg_start_decompress(&decoder);
    if (decoder.output_width != width || decoder.output_height != height ||
        decoder.output_components != (int)channels) {
        snprintf(report->message, sizeof report->message, "its frame is not what its header says");
        longjmp(report->jump, 1);
    }
    while (decoder.output_scanline < height) {
        JSAMPROW row = pixels + (size_t)channels * width * decoder.output_scanline;
        jpeg_read_scanlines(&decoder, &row, 1);
    }
    // What follows the pixels is not read.
    jpeg_destroy_decompress(&decoder);
    return true;
}
