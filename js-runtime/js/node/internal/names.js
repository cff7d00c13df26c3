// Names that the modules of Node.js 22.23 export: what can be called, and the rest.
(function () {
const FUNCTIONS = {
  __proto__: null,
  "node:assert": "Assert AssertionError CallTracker deepEqual deepStrictEqual doesNotMatch doesNotReject doesNotThrow equal fail ifError " +
    "match notDeepEqual notDeepStrictEqual notEqual notStrictEqual ok partialDeepStrictEqual rejects strict strictEqual throws",
  "node:assert/strict": "Assert AssertionError CallTracker deepEqual deepStrictEqual doesNotMatch doesNotReject doesNotThrow equal fail ifError " +
    "match notDeepEqual notDeepStrictEqual notEqual notStrictEqual ok partialDeepStrictEqual rejects strict strictEqual throws",
  "node:async_hooks": "AsyncLocalStorage AsyncResource createHook executionAsyncId executionAsyncResource triggerAsyncId",
  "node:buffer": "Blob Buffer File SlowBuffer atob btoa isAscii isUtf8 resolveObjectURL transcode",
  "node:child_process": "ChildProcess _forkChild exec execFile execFileSync execSync fork spawn spawnSync",
  "node:cluster": "Worker disconnect fork setupMaster setupPrimary",
  "node:console": "Console assert clear context count countReset createTask debug dir dirxml error group groupCollapsed groupEnd info " +
    "log profile profileEnd table time timeEnd timeLog timeStamp trace warn",
  "node:constants": "",
  "node:crypto": "Certificate Cipheriv Decipheriv DiffieHellman DiffieHellmanGroup ECDH Hash Hmac KeyObject Sign Verify X509Certificate " +
    "checkPrime checkPrimeSync createCipheriv createDecipheriv createDiffieHellman createDiffieHellmanGroup createECDH " +
    "createHash createHmac createPrivateKey createPublicKey createSecretKey createSign createVerify diffieHellman generateKey " +
    "generateKeyPair generateKeyPairSync generateKeySync generatePrime generatePrimeSync getCipherInfo getCiphers getCurves " +
    "getDiffieHellman getFips getHashes getRandomValues hash hkdf hkdfSync pbkdf2 pbkdf2Sync privateDecrypt privateEncrypt " +
    "publicDecrypt publicEncrypt randomBytes randomFill randomFillSync randomInt randomUUID scrypt scryptSync secureHeapUsed " +
    "setEngine setFips sign timingSafeEqual verify",
  "node:dgram": "Socket _createSocketHandle createSocket",
  "node:diagnostics_channel": "Channel channel hasSubscribers subscribe tracingChannel unsubscribe",
  "node:dns": "Resolver getDefaultResultOrder getServers lookup lookupService resolve resolve4 resolve6 resolveAny resolveCaa " +
    "resolveCname resolveMx resolveNaptr resolveNs resolvePtr resolveSoa resolveSrv resolveTlsa resolveTxt reverse " +
    "setDefaultResultOrder setServers",
  "node:dns/promises": "Resolver getDefaultResultOrder getServers lookup lookupService resolve resolve4 resolve6 resolveAny resolveCaa " +
    "resolveCname resolveMx resolveNaptr resolveNs resolvePtr resolveSoa resolveSrv resolveTlsa resolveTxt reverse " +
    "setDefaultResultOrder setServers",
  "node:domain": "Domain create createDomain",
  "node:events": "EventEmitter EventEmitterAsyncResource addAbortListener getEventListeners getMaxListeners init listenerCount on once " +
    "setMaxListeners",
  "node:fs": "Dir Dirent FileReadStream FileWriteStream ReadStream Stats WriteStream _toUnixTimestamp access accessSync appendFile " +
    "appendFileSync chmod chmodSync chown chownSync close closeSync copyFile copyFileSync cp cpSync createReadStream " +
    "createWriteStream exists existsSync fchmod fchmodSync fchown fchownSync fdatasync fdatasyncSync fstat fstatSync fsync " +
    "fsyncSync ftruncate ftruncateSync futimes futimesSync glob globSync lchown lchownSync link linkSync lstat lstatSync " +
    "lutimes lutimesSync mkdir mkdirSync mkdtemp mkdtempSync open openAsBlob openSync opendir opendirSync read readFile " +
    "readFileSync readSync readdir readdirSync readlink readlinkSync readv readvSync realpath realpathSync rename renameSync " +
    "rm rmSync rmdir rmdirSync stat statSync statfs statfsSync symlink symlinkSync truncate truncateSync unlink unlinkSync " +
    "unwatchFile utimes utimesSync watch watchFile write writeFile writeFileSync writeSync writev writevSync",
  "node:fs/promises": "access appendFile chmod chown copyFile cp glob lchmod lchown link lstat lutimes mkdir mkdtemp open opendir readFile " +
    "readdir readlink realpath rename rm rmdir stat statfs symlink truncate unlink utimes watch writeFile",
  "node:http": "Agent ClientRequest CloseEvent IncomingMessage MessageEvent OutgoingMessage Server ServerResponse WebSocket " +
    "_connectionListener createServer get request setMaxIdleHTTPParsers validateHeaderName validateHeaderValue",
  "node:http2": "Http2ServerRequest Http2ServerResponse connect createSecureServer createServer getDefaultSettings getPackedSettings " +
    "getUnpackedSettings performServerHandshake",
  "node:https": "Agent Server createServer get request",
  "node:inspector": "Session close open url waitForDebugger",
  "node:inspector/promises": "Session close open url waitForDebugger",
  "node:module": "Module SourceMap _debug _findPath _initPaths _load _nodeModulePaths _preloadModules _resolveFilename _resolveLookupPaths " +
    "createRequire enableCompileCache findPackageJSON findSourceMap flushCompileCache getCompileCacheDir getSourceMapsSupport " +
    "isBuiltin register registerHooks runMain setSourceMapsSupport stripTypeScriptTypes syncBuiltinESMExports",
  "node:net": "BlockList Server Socket SocketAddress Stream _createServerHandle _normalizeArgs _setSimultaneousAccepts connect " +
    "createConnection createServer getDefaultAutoSelectFamily getDefaultAutoSelectFamilyAttemptTimeout isIP isIPv4 isIPv6 " +
    "setDefaultAutoSelectFamily setDefaultAutoSelectFamilyAttemptTimeout",
  "node:os": "arch availableParallelism cpus endianness freemem getPriority homedir hostname loadavg machine networkInterfaces platform " +
    "release setPriority tmpdir totalmem type uptime userInfo version",
  "node:path": "_makeLong basename dirname extname format isAbsolute join matchesGlob normalize parse relative resolve toNamespacedPath",
  "node:path/posix": "_makeLong basename dirname extname format isAbsolute join matchesGlob normalize parse relative resolve toNamespacedPath",
  "node:path/win32": "_makeLong basename dirname extname format isAbsolute join matchesGlob normalize parse relative resolve toNamespacedPath",
  "node:perf_hooks": "Performance PerformanceEntry PerformanceMark PerformanceMeasure PerformanceObserver PerformanceObserverEntryList " +
    "PerformanceResourceTiming createHistogram monitorEventLoopDelay",
  "node:process": "_debugEnd _debugProcess _fatalException _getActiveHandles _getActiveRequests _kill _linkedBinding _rawDebug " +
    "_startProfilerIdleNotifier _stopProfilerIdleNotifier _tickCallback abort assert availableMemory binding chdir " +
    "constrainedMemory cpuUsage cwd dlopen emitWarning execve exit getActiveResourcesInfo getBuiltinModule getegid geteuid " +
    "getgid getgroups getuid hasUncaughtExceptionCaptureCallback hrtime initgroups kill loadEnvFile memoryUsage nextTick " +
    "openStdin reallyExit ref resourceUsage setSourceMapsEnabled setUncaughtExceptionCaptureCallback setegid seteuid setgid " +
    "setgroups setuid threadCpuUsage umask unref uptime",
  "node:punycode": "decode encode toASCII toUnicode",
  "node:querystring": "decode encode escape parse stringify unescape unescapeBuffer",
  "node:readline": "Interface clearLine clearScreenDown createInterface cursorTo emitKeypressEvents moveCursor",
  "node:readline/promises": "Interface Readline createInterface",
  "node:repl": "REPLServer Recoverable isValidSyntax start writer",
  "node:stream": "Duplex PassThrough Readable Stream Transform Writable _isArrayBufferView _isUint8Array _uint8ArrayToBuffer addAbortSignal " +
    "compose destroy duplexPair finished getDefaultHighWaterMark isDestroyed isDisturbed isErrored isReadable isWritable " +
    "pipeline setDefaultHighWaterMark",
  "node:stream/consumers": "arrayBuffer blob buffer json text",
  "node:stream/promises": "finished pipeline",
  "node:stream/web": "ByteLengthQueuingStrategy CompressionStream CountQueuingStrategy DecompressionStream ReadableByteStreamController " +
    "ReadableStream ReadableStreamBYOBReader ReadableStreamBYOBRequest ReadableStreamDefaultController " +
    "ReadableStreamDefaultReader TextDecoderStream TextEncoderStream TransformStream TransformStreamDefaultController " +
    "WritableStream WritableStreamDefaultController WritableStreamDefaultWriter",
  "node:string_decoder": "StringDecoder",
  "node:sys": "MIMEParams MIMEType TextDecoder TextEncoder _errnoException _exceptionWithHostPort _extend aborted callbackify debug " +
    "debuglog deprecate diff format formatWithOptions getCallSite getCallSites getSystemErrorMap getSystemErrorMessage " +
    "getSystemErrorName inherits inspect isArray isBoolean isBuffer isDate isDeepStrictEqual isError isFunction isNull " +
    "isNullOrUndefined isNumber isObject isPrimitive isRegExp isString isSymbol isUndefined log parseArgs parseEnv promisify " +
    "setTraceSigInt stripVTControlCharacters styleText toUSVString transferableAbortController transferableAbortSignal",
  "node:test": "after afterEach before beforeEach describe it only run skip suite test todo",
  "node:timers": "_unrefActive active clearImmediate clearInterval clearTimeout enroll setImmediate setInterval setTimeout unenroll",
  "node:timers/promises": "setImmediate setInterval setTimeout",
  "node:tls": "SecureContext Server TLSSocket checkServerIdentity connect convertALPNProtocols createSecureContext createSecurePair " +
    "createServer getCACertificates getCiphers setDefaultCACertificates",
  "node:trace_events": "createTracing getEnabledCategories",
  "node:tty": "ReadStream WriteStream isatty",
  "node:url": "URL URLSearchParams Url domainToASCII domainToUnicode fileURLToPath fileURLToPathBuffer format parse pathToFileURL " +
    "resolve resolveObject urlToHttpOptions",
  "node:util": "MIMEParams MIMEType TextDecoder TextEncoder _errnoException _exceptionWithHostPort _extend aborted callbackify debug " +
    "debuglog deprecate diff format formatWithOptions getCallSite getCallSites getSystemErrorMap getSystemErrorMessage " +
    "getSystemErrorName inherits inspect isArray isBoolean isBuffer isDate isDeepStrictEqual isError isFunction isNull " +
    "isNullOrUndefined isNumber isObject isPrimitive isRegExp isString isSymbol isUndefined log parseArgs parseEnv promisify " +
    "setTraceSigInt stripVTControlCharacters styleText toUSVString transferableAbortController transferableAbortSignal",
  "node:util/types": "isAnyArrayBuffer isArgumentsObject isArrayBuffer isArrayBufferView isAsyncFunction isBigInt64Array isBigIntObject " +
    "isBigUint64Array isBooleanObject isBoxedPrimitive isCryptoKey isDataView isDate isExternal isFloat16Array isFloat32Array " +
    "isFloat64Array isGeneratorFunction isGeneratorObject isInt16Array isInt32Array isInt8Array isKeyObject isMap " +
    "isMapIterator isModuleNamespaceObject isNativeError isNumberObject isPromise isProxy isRegExp isSet isSetIterator " +
    "isSharedArrayBuffer isStringObject isSymbolObject isTypedArray isUint16Array isUint32Array isUint8Array " +
    "isUint8ClampedArray isWeakMap isWeakSet",
  "node:v8": "DefaultDeserializer DefaultSerializer Deserializer GCProfiler Serializer cachedDataVersionTag deserialize " +
    "getCppHeapStatistics getHeapCodeStatistics getHeapSnapshot getHeapSpaceStatistics getHeapStatistics " +
    "isStringOneByteRepresentation queryObjects serialize setFlagsFromString setHeapSnapshotNearHeapLimit stopCoverage " +
    "takeCoverage writeHeapSnapshot",
  "node:vm": "Script compileFunction createContext createScript isContext measureMemory runInContext runInNewContext runInThisContext",
  "node:wasi": "WASI",
  "node:worker_threads": "BroadcastChannel MessageChannel MessagePort Worker getEnvironmentData isMarkedAsUntransferable " +
    "markAsUncloneable markAsUntransferable moveMessagePortToContext postMessageToThread receiveMessageOnPort " +
    "setEnvironmentData",
  "node:zlib": "BrotliCompress BrotliDecompress Deflate DeflateRaw Gunzip Gzip Inflate InflateRaw Unzip ZstdCompress ZstdDecompress " +
    "brotliCompress brotliCompressSync brotliDecompress brotliDecompressSync crc32 createBrotliCompress createBrotliDecompress " +
    "createDeflate createDeflateRaw createGunzip createGzip createInflate createInflateRaw createUnzip createZstdCompress " +
    "createZstdDecompress deflate deflateRaw deflateRawSync deflateSync gunzip gunzipSync gzip gzipSync inflate inflateRaw " +
    "inflateRawSync inflateSync unzip unzipSync zstdCompress zstdCompressSync zstdDecompress zstdDecompressSync",
};

const VALUES = {
  __proto__: null,
  "node:assert": "",
  "node:assert/strict": "",
  "node:async_hooks": "asyncWrapProviders",
  "node:buffer": "INSPECT_MAX_BYTES constants kMaxLength kStringMaxLength",
  "node:child_process": "",
  "node:cluster": "SCHED_NONE SCHED_RR _events _eventsCount isMaster isPrimary isWorker schedulingPolicy settings workers",
  "node:console": "",
  "node:constants": "COPYFILE_EXCL COPYFILE_FICLONE COPYFILE_FICLONE_FORCE DH_CHECK_P_NOT_PRIME DH_CHECK_P_NOT_SAFE_PRIME " +
    "DH_NOT_SUITABLE_GENERATOR DH_UNABLE_TO_CHECK_GENERATOR E2BIG EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY " +
    "EBADF EBADMSG EBUSY ECANCELED ECHILD ECONNABORTED ECONNREFUSED ECONNRESET EDEADLK EDESTADDRREQ EDOM EDQUOT EEXIST EFAULT " +
    "EFBIG EHOSTUNREACH EIDRM EILSEQ EINPROGRESS EINTR EINVAL EIO EISCONN EISDIR ELOOP EMFILE EMLINK EMSGSIZE EMULTIHOP " +
    "ENAMETOOLONG ENETDOWN ENETRESET ENETUNREACH ENFILE ENGINE_METHOD_ALL ENGINE_METHOD_CIPHERS ENGINE_METHOD_DH " +
    "ENGINE_METHOD_DIGESTS ENGINE_METHOD_DSA ENGINE_METHOD_EC ENGINE_METHOD_NONE ENGINE_METHOD_PKEY_ASN1_METHS " +
    "ENGINE_METHOD_PKEY_METHS ENGINE_METHOD_RAND ENGINE_METHOD_RSA ENOBUFS ENODATA ENODEV ENOENT ENOEXEC ENOLCK ENOLINK ENOMEM " +
    "ENOMSG ENOPROTOOPT ENOSPC ENOSR ENOSTR ENOSYS ENOTCONN ENOTDIR ENOTEMPTY ENOTSOCK ENOTSUP ENOTTY ENXIO EOPNOTSUPP " +
    "EOVERFLOW EPERM EPIPE EPROTO EPROTONOSUPPORT EPROTOTYPE ERANGE EROFS ESPIPE ESRCH ESTALE ETIME ETIMEDOUT ETXTBSY " +
    "EWOULDBLOCK EXDEV F_OK OPENSSL_VERSION_NUMBER O_APPEND O_CREAT O_DIRECT O_DIRECTORY O_DSYNC O_EXCL O_NOATIME O_NOCTTY " +
    "O_NOFOLLOW O_NONBLOCK O_RDONLY O_RDWR O_SYNC O_TRUNC O_WRONLY POINT_CONVERSION_COMPRESSED POINT_CONVERSION_HYBRID " +
    "POINT_CONVERSION_UNCOMPRESSED PRIORITY_ABOVE_NORMAL PRIORITY_BELOW_NORMAL PRIORITY_HIGH PRIORITY_HIGHEST PRIORITY_LOW " +
    "PRIORITY_NORMAL RSA_NO_PADDING RSA_PKCS1_OAEP_PADDING RSA_PKCS1_PADDING RSA_PKCS1_PSS_PADDING RSA_PSS_SALTLEN_AUTO " +
    "RSA_PSS_SALTLEN_DIGEST RSA_PSS_SALTLEN_MAX_SIGN RSA_X931_PADDING RTLD_DEEPBIND RTLD_GLOBAL RTLD_LAZY RTLD_LOCAL RTLD_NOW " +
    "R_OK SIGABRT SIGALRM SIGBUS SIGCHLD SIGCONT SIGFPE SIGHUP SIGILL SIGINT SIGIO SIGIOT SIGKILL SIGPIPE SIGPOLL SIGPROF " +
    "SIGPWR SIGQUIT SIGSEGV SIGSTKFLT SIGSTOP SIGSYS SIGTERM SIGTRAP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGUSR1 SIGUSR2 SIGVTALRM " +
    "SIGWINCH SIGXCPU SIGXFSZ SSL_OP_ALL SSL_OP_ALLOW_NO_DHE_KEX SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION " +
    "SSL_OP_CIPHER_SERVER_PREFERENCE SSL_OP_CISCO_ANYCONNECT SSL_OP_COOKIE_EXCHANGE SSL_OP_CRYPTOPRO_TLSEXT_BUG " +
    "SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS SSL_OP_LEGACY_SERVER_CONNECT SSL_OP_NO_COMPRESSION SSL_OP_NO_ENCRYPT_THEN_MAC " +
    "SSL_OP_NO_QUERY_MTU SSL_OP_NO_RENEGOTIATION SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION SSL_OP_NO_SSLv2 SSL_OP_NO_SSLv3 " +
    "SSL_OP_NO_TICKET SSL_OP_NO_TLSv1 SSL_OP_NO_TLSv1_1 SSL_OP_NO_TLSv1_2 SSL_OP_NO_TLSv1_3 SSL_OP_PRIORITIZE_CHACHA " +
    "SSL_OP_TLS_ROLLBACK_BUG S_IFBLK S_IFCHR S_IFDIR S_IFIFO S_IFLNK S_IFMT S_IFREG S_IFSOCK S_IRGRP S_IROTH S_IRUSR S_IRWXG " +
    "S_IRWXO S_IRWXU S_IWGRP S_IWOTH S_IWUSR S_IXGRP S_IXOTH S_IXUSR TLS1_1_VERSION TLS1_2_VERSION TLS1_3_VERSION TLS1_VERSION " +
    "UV_DIRENT_BLOCK UV_DIRENT_CHAR UV_DIRENT_DIR UV_DIRENT_FIFO UV_DIRENT_FILE UV_DIRENT_LINK UV_DIRENT_SOCKET " +
    "UV_DIRENT_UNKNOWN UV_FS_COPYFILE_EXCL UV_FS_COPYFILE_FICLONE UV_FS_COPYFILE_FICLONE_FORCE UV_FS_O_FILEMAP " +
    "UV_FS_SYMLINK_DIR UV_FS_SYMLINK_JUNCTION W_OK X_OK defaultCipherList defaultCoreCipherList",
  "node:crypto": "Cipher Decipher constants subtle webcrypto",
  "node:dgram": "",
  "node:diagnostics_channel": "",
  "node:dns": "ADDRCONFIG ADDRGETNETWORKPARAMS ALL BADFAMILY BADFLAGS BADHINTS BADNAME BADQUERY BADRESP BADSTR CANCELLED CONNREFUSED " +
    "DESTRUCTION EOF FILE FORMERR LOADIPHLPAPI NODATA NOMEM NONAME NOTFOUND NOTIMP NOTINITIALIZED REFUSED SERVFAIL TIMEOUT " +
    "V4MAPPED promises",
  "node:dns/promises": "ADDRGETNETWORKPARAMS BADFAMILY BADFLAGS BADHINTS BADNAME BADQUERY BADRESP BADSTR CANCELLED CONNREFUSED " +
    "DESTRUCTION EOF FILE FORMERR LOADIPHLPAPI NODATA NOMEM NONAME NOTFOUND NOTIMP NOTINITIALIZED REFUSED SERVFAIL TIMEOUT",
  "node:domain": "_stack active",
  "node:events": "captureRejectionSymbol captureRejections defaultMaxListeners errorMonitor usingDomains",
  "node:fs": "F_OK R_OK W_OK X_OK constants lchmod lchmodSync promises",
  "node:fs/promises": "constants",
  "node:http": "METHODS STATUS_CODES globalAgent maxHeaderSize",
  "node:http2": "constants sensitiveHeaders",
  "node:https": "globalAgent",
  "node:inspector": "Network NetworkResources console",
  "node:inspector/promises": "Network NetworkResources console",
  "node:module": "_cache _extensions _pathCache builtinModules constants globalPaths",
  "node:net": "",
  "node:os": "EOL constants devNull",
  "node:path": "delimiter posix sep win32",
  "node:path/posix": "delimiter posix sep win32",
  "node:path/win32": "delimiter posix sep win32",
  "node:perf_hooks": "constants performance",
  "node:process": "_events _eventsCount _exiting _maxListeners _preload_modules allowedNodeEnvironmentFlags arch argv argv0 config debugPort " +
    "domain env execArgv execPath exitCode features finalization moduleLoadList pid platform ppid release report " +
    "sourceMapsEnabled stderr stdin stdout title version versions",
  "node:punycode": "ucs2 version",
  "node:querystring": "",
  "node:readline": "promises",
  "node:readline/promises": "",
  "node:repl": "REPL_MODE_SLOPPY REPL_MODE_STRICT",
  "node:stream": "promises",
  "node:stream/consumers": "",
  "node:stream/promises": "",
  "node:stream/web": "",
  "node:string_decoder": "",
  "node:sys": "types",
  "node:test": "assert mock snapshot",
  "node:timers": "promises",
  "node:timers/promises": "scheduler",
  "node:tls": "CLIENT_RENEG_LIMIT CLIENT_RENEG_WINDOW DEFAULT_CIPHERS DEFAULT_ECDH_CURVE DEFAULT_MAX_VERSION DEFAULT_MIN_VERSION " +
    "rootCertificates",
  "node:trace_events": "",
  "node:tty": "",
  "node:url": "",
  "node:util": "types",
  "node:util/types": "",
  "node:v8": "promiseHooks startupSnapshot",
  "node:vm": "constants",
  "node:wasi": "",
  "node:worker_threads": "SHARE_ENV isInternalThread isMainThread parentPort resourceLimits threadId threadName workerData",
  "node:zlib": "codes constants",
};

return { FUNCTIONS, VALUES };
})();
