// libpng's classic interface, for Swift. It reports an error by a long jump, so both ends of the jump lie in one C
// function and no Swift frame between them. The simplified interface needs no jumps, but since 1.6.51 (and in what
// Debian made of that) it reads interlaced files of 16 bits to wrong pixels: github.com/pnggroup/libpng/issues/853.
#pragma once
#include <png.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

// The bytes that are left to read, and what libpng said when it gave up.
typedef struct {
    const unsigned char *at;
    size_t left;
    char message[120];
} atelier_png_source;

static void atelier_png_read(png_structp png, png_bytep to, size_t count) {
    atelier_png_source *source = (atelier_png_source *)png_get_io_ptr(png);
    if (count > source->left) png_error(png, "the file ends inside a chunk");
    memcpy(to, source->at, count);
    source->at += count;
    source->left -= count;
}

static void atelier_png_fail(png_structp png, png_const_charp message) {
    atelier_png_source *source = (atelier_png_source *)png_get_error_ptr(png);
    snprintf(source->message, sizeof source->message, "%s", message);
    png_longjmp(png, 1);
}

static void atelier_png_ignore(png_structp png, png_const_charp message) {}

// Everything becomes 8-bit RGB in sRGB: palettes and few bits expanded, 16 bits scaled, transparency laid over the
// background.
static inline void atelier_png_transform(png_structp png, png_infop info, const unsigned char background[3]) {
    unsigned scale = png_get_bit_depth(png, info) == 16 ? 257 : 1;
    png_color_16 colour = {.red = background[0] * scale,
                           .green = background[1] * scale,
                           .blue = background[2] * scale,
                           .gray = background[0] * scale};
    int intent;
    png_fixed_point gamma;
    // Nearly every file that says nothing is sRGB.
    if (png_get_sRGB(png, info, &intent) || !png_get_gAMA_fixed(png, info, &gamma)) gamma = 45455;
    png_set_gamma_fixed(png, PNG_GAMMA_sRGB, gamma);
    png_set_expand(png);
    png_set_gray_to_rgb(png);
    png_set_background_fixed(png, &colour, PNG_BACKGROUND_GAMMA_SCREEN, 0, PNG_FP_1);
    png_set_scale_16(png);
}

// Decodes a file of width × height pixels into rgb, 3 · width · height bytes; false where it is damaged, with the
// message set.
static inline bool atelier_png_decode(atelier_png_source *source, unsigned width, unsigned height,
                                      const unsigned char background[3], unsigned char *rgb) {
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, source, atelier_png_fail, atelier_png_ignore);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        if (png) png_destroy_read_struct(&png, NULL, NULL);
        strcpy(source->message, "there is no memory to read it");
        return false;
    }
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_read_struct(&png, &info, NULL);
        return false;
    }
    png_set_read_fn(png, source, atelier_png_read);
    png_set_user_limits(png, width, height);
    // Texts, dates and profiles are not even parsed.
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_AS_DEFAULT, (png_const_bytep) "gAMA\0sRGB", 2);
    png_read_info(png, info);
    atelier_png_transform(png, info, background);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    if (png_get_image_width(png, info) != width || png_get_image_height(png, info) != height ||
        png_get_rowbytes(png, info) != 3 * (size_t)width)
        png_error(png, "its header is not what it was");
    for (int pass = 0; pass < passes; pass++)
        for (unsigned y = 0; y < height; y++) png_read_row(png, rgb + 3 * (size_t)width * y, NULL);
    png_read_end(png, NULL);
    png_destroy_read_struct(&png, &info, NULL);
    return true;
}
