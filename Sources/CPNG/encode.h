// The writing half of libpng's classic interface, for Swift: the simplified one leaves nothing of zlib to choose.
#pragma once
#include "decode.h"

// What was written so far, and what libpng said when it gave up. The memory is the caller's to free.
typedef struct {
    unsigned char *bytes;
    size_t count, room;
    char message[atelier_png_message_size];
} atelier_png_sink;

static void atelier_png_write(png_structp png, png_bytep data, size_t count) {
    atelier_png_sink *sink = (atelier_png_sink *)png_get_io_ptr(png);
    if (count > sink->room - sink->count) {
        size_t room = 2 * (sink->count + count);
        unsigned char *bytes = (unsigned char *)realloc(sink->bytes, room);
        if (!bytes) png_error(png, "there is no memory to write it");
        sink->bytes = bytes;
        sink->room = room;
    }
    memcpy(sink->bytes + sink->count, data, count);
    sink->count += count;
}

static void atelier_png_flush(png_structp png) {}

// zlib's Z_RLE: of filtered pictures nearly all that repeats are runs of one byte, and who looks for nothing else is
// five times as fast: drawn pictures take as much room as at zlib's usual level, up to four in a hundred more.
enum { atelier_png_runs = 3 };

// Encodes width × height pixels, R G B of 8 bits, into the sink; false where that fails, with the message set.
static inline bool atelier_png_encode(atelier_png_sink *sink, unsigned width, unsigned height,
                                      const unsigned char *rgb) {
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, sink->message, atelier_png_fail,
                                              atelier_png_ignore);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        if (png) png_destroy_write_struct(&png, NULL);
        strcpy(sink->message, "there is no memory to write it");
        return false;
    }
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        return false;
    }
    png_set_write_fn(png, sink, atelier_png_write, atelier_png_flush);
    png_set_IHDR(png, info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_sRGB(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
    png_set_compression_strategy(png, atelier_png_runs);
    png_write_info(png, info);
    for (unsigned y = 0; y < height; y++) png_write_row(png, rgb + (size_t)3 * width * y);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return true;
}
