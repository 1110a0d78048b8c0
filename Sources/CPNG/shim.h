#pragma once
#include <stdio.h>
#include <png.h>
#include "decode.h"
#include "encode.h"
