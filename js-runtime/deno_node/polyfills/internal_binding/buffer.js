// Copyright 2018-2026 the Deno authors. MIT license.
(function() {
  const { core, primordials } = __bootstrap;
  const { Encodings } = core.loadExtScript("ext:deno_node/internal_binding/_node.js");
  const {
    Error,
    MathMax,
    MathMin,
    MathTrunc,
    NumberIsNaN,
    TypedArrayPrototypeGetLength
  } = primordials;
  function fill(buffer, value, start, end) {
    return buffer.fill(value, start, end);
  }
  function indexOfOffset(length, offset, needleLength, isForward) {
    if (offset < 0) {
      if (offset + length >= 0) {
        return length + offset;
      } else if (isForward || needleLength === 0) {
        return 0;
      }
      return -1;
    }
    if (offset + needleLength <= length) {
      return offset;
    } else if (needleLength === 0) {
      return length;
    } else if (isForward) {
      return -1;
    }
    return length - 1;
  }
  function searchBytes(source, end, needle, needleLength, offset, isForward, step) {
    if (isForward) {
      for (let i = offset; i + needleLength <= end; i += step) {
        let j = 0;
        while (j < needleLength && source[i + j] === needle[j]) j++;
        if (j === needleLength) return i;
      }
      return -1;
    }
    let start = end - needleLength;
    if (offset < start) start = offset;
    start -= start % step;
    for (let i = start; i >= 0; i -= step) {
      let j = 0;
      while (j < needleLength && source[i + j] === needle[j]) j++;
      if (j === needleLength) return i;
    }
    return -1;
  }
  function toInt64(value) {
    return NumberIsNaN(value) ? 0 : MathTrunc(value);
  }
  function indexOfBuffer(targetBuffer, buffer, byteOffset, encoding, forwardDirection, end) {
    if (Encodings[encoding] === void 0) {
      throw new Error(`Unknown encoding code ${encoding}`);
    }
    byteOffset = MathTrunc(byteOffset);
    end = toInt64(end);
    const haystackLength = TypedArrayPrototypeGetLength(targetBuffer);
    const needleLength = TypedArrayPrototypeGetLength(buffer);
    const isUcs2 = encoding === Encodings.UCS2;
    let searchEnd = MathMin(MathMax(end, 0), haystackLength);
    if (isUcs2) searchEnd &= ~1;
    const optOffset = indexOfOffset(
      haystackLength,
      byteOffset,
      needleLength,
      forwardDirection
    );
    if (needleLength === 0) {
      return MathMin(optOffset, searchEnd);
    }
    if (haystackLength === 0) return -1;
    if (optOffset === -1) return -1;
    let offset = optOffset;
    if (!forwardDirection && offset >= searchEnd) {
      if (searchEnd === 0) return -1;
      offset = searchEnd - 1;
    } else if (forwardDirection && offset >= searchEnd) {
      return -1;
    }
    if (forwardDirection && needleLength + offset > searchEnd || needleLength > searchEnd) {
      return -1;
    }
    if (isUcs2 && (searchEnd < 2 || needleLength < 2)) return -1;
    return searchBytes(
      targetBuffer,
      searchEnd,
      buffer,
      isUcs2 ? needleLength & ~1 : needleLength,
      isUcs2 ? offset & ~1 : offset,
      forwardDirection,
      isUcs2 ? 2 : 1
    );
  }
  function indexOfNumber(targetBuffer, number, byteOffset, forwardDirection, end) {
    byteOffset = MathTrunc(byteOffset);
    end = toInt64(end);
    number &= 255;
    const bufferLength = TypedArrayPrototypeGetLength(targetBuffer);
    const optOffset = indexOfOffset(
      bufferLength,
      byteOffset,
      1,
      forwardDirection
    );
    if (optOffset === -1 || bufferLength === 0) return -1;
    const offset = optOffset;
    const searchEnd = MathMin(MathMax(end, 0), bufferLength);
    if (forwardDirection) {
      if (offset >= searchEnd) return -1;
      for (let i = offset; i < searchEnd; i++) {
        if (targetBuffer[i] === number) return i;
      }
      return -1;
    }
    const backwardEnd = MathMin(offset + 1, searchEnd);
    if (backwardEnd === 0) return -1;
    for (let i = backwardEnd - 1; i >= 0; i--) {
      if (targetBuffer[i] === number) return i;
    }
    return -1;
  }
  const _defaultExport = { indexOfBuffer, indexOfNumber };
  return {
    indexOfBuffer,
    indexOfNumber,
    fill,
    default: _defaultExport
  };
})();
