#pragma once
#include <lcms2.h>

// Swift does not see what is computed by macros.
static const cmsUInt32Number atelier_grey8 = TYPE_GRAY_8;
static const cmsUInt32Number atelier_grey16 = TYPE_GRAY_16;
static const cmsUInt32Number atelier_rgb8 = TYPE_RGB_8;
static const cmsUInt32Number atelier_rgba8 = TYPE_RGBA_8;
static const cmsUInt32Number atelier_rgba16 = TYPE_RGBA_16;
static const cmsUInt32Number atelier_cmyk8 = TYPE_CMYK_8;
// As Adobe writes it: 255 is no ink.
static const cmsUInt32Number atelier_inverse_cmyk8 = TYPE_CMYK_8_REV;
static const cmsUInt32Number atelier_copy_alpha = cmsFLAGS_COPY_ALPHA;
