// libpng's classic interface, for Swift. It reports an error by a long jump, so both ends of the jump lie in one C
// function and no Swift frame between them. The simplified interface needs no jumps, but since 1.6.51 (and in what
// Debian made of that) it reads interlaced files of 16 bits to wrong pixels: github.com/pnggroup/libpng/issues/853.
#pragma once
#include <png.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { atelier_png_message_size = 120 };

// The bytes that are left to read, and what libpng said when it gave up.
typedef struct {
    const unsigned char *at;
    size_t left;
    char message[atelier_png_message_size];
} atelier_png_source;

static void atelier_png_read(png_structp png, png_bytep to, size_t count) {
    atelier_png_source *source = (atelier_png_source *)png_get_io_ptr(png);
    if (count > source->left) png_error(png, "the file ends inside a chunk");
    memcpy(to, source->at, count);
    source->at += count;
    source->left -= count;
}

static void atelier_png_fail(png_structp png, png_const_charp message) {
    snprintf((char *)png_get_error_ptr(png), atelier_png_message_size, "%s", message);
    png_longjmp(png, 1);
}

static void atelier_png_ignore(png_structp png, png_const_charp message) {}

// Everything becomes R G B A of 8 bits, or of a file's 16 as the machine orders bytes: palettes and few bits expanded,
// alpha full where there is none. Colours stay what they are.
static inline void atelier_png_transform(png_structp png, png_infop info, int depth) {
    png_set_expand(png);
    png_set_gray_to_rgb(png);
    png_set_add_alpha(png, 0xFFFF, PNG_FILLER_AFTER);
    if (depth == 8) png_set_scale_16(png);
    else png_set_swap(png);
}

// A reader of the file; null where there is no memory. What it does not need is not even parsed: texts, dates.
static inline png_structp atelier_png_open(atelier_png_source *source, png_infop *info) {
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, source->message, atelier_png_fail,
                                             atelier_png_ignore);
    *info = png ? png_create_info_struct(png) : NULL;
    if (!*info) {
        if (png) png_destroy_read_struct(&png, NULL, NULL);
        strcpy(source->message, "there is no memory to read it");
        return NULL;
    }
    png_set_read_fn(png, source, atelier_png_read);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    return png;
}

// Decodes a file of width × height pixels into rgba, 4 · width · height samples of 8 or 16 bits; false where it is
// damaged, with the message set.
static inline bool atelier_png_decode(atelier_png_source *source, unsigned width, unsigned height, int depth,
                                      unsigned char *rgba) {
    png_infop info;
    png_structp png = atelier_png_open(source, &info);
    if (!png) return false;
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_read_struct(&png, &info, NULL);
        return false;
    }
    png_set_user_limits(png, width, height);
    png_read_info(png, info);
    atelier_png_transform(png, info, depth);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    size_t bytes = (size_t)width * 4 * depth / 8;
    if (png_get_image_width(png, info) != width || png_get_image_height(png, info) != height ||
        png_get_rowbytes(png, info) != bytes)
        png_error(png, "its header is not what it was");
    for (int pass = 0; pass < passes; pass++)
        for (unsigned y = 0; y < height; y++) png_read_row(png, rgba + bytes * y, NULL);
    png_read_end(png, NULL);
    png_destroy_read_struct(&png, &info, NULL);
    return true;
}
