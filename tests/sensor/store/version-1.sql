PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE assets (
    id TEXT PRIMARY KEY,
    period INTEGER NOT NULL REFERENCES periods (number),
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE coverage (
    period INTEGER NOT NULL REFERENCES periods (number) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (period, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE edges (
    client TEXT NOT NULL,
    server TEXT NOT NULL,
    protocol TEXT NOT NULL,
    transport TEXT NOT NULL,
    server_port INTEGER NOT NULL,
    client_address TEXT NOT NULL,
    server_address TEXT NOT NULL,
    period INTEGER NOT NULL REFERENCES periods (number),
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (client, server, protocol, transport, server_port, client_address, server_address)
) STRICT, WITHOUT ROWID;
CREATE TABLE files (
    name TEXT PRIMARY KEY,       -- from the store's folder on
    kind TEXT NOT NULL CHECK (kind IN ('events', 'evidence')),
    subject TEXT NOT NULL,       -- the finding of a mini capture
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "files" VALUES('evidence/edff55822a58d006.pcapng','evidence','edff55822a58d006',4,'531d04aaf63e526de83a4f74863b20df18e916bd7d0bf67cef890f4e063ed777',1772442002000000000);
CREATE TABLE findings (
    id TEXT PRIMARY KEY,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    owner TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'accepted', 'resolved')),
    decision INTEGER,            -- number of the acceptance in decisions.db
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    period INTEGER NOT NULL REFERENCES periods (number),  -- the last that supports it
    earlier INTEGER REFERENCES periods (number),          -- the one before, which supports it as well
    gravity TEXT NOT NULL,       -- digest of what was told last: severity, verdict
    story TEXT NOT NULL,         -- digest of what was told last: all else
    told INTEGER NOT NULL,       -- how often
    told_at INTEGER NOT NULL,
    changed INTEGER NOT NULL,    -- when its state changed last
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "findings" VALUES('759d6b0593c9726b','test.rule','critical','OT','resolved',NULL,1772442000000000000,1772442001000000000,1,NULL,'8ba4a4a7ef4d806e','302f4543a297abef',2,1772442001000000000,1772442001000000000,'{"id":"759d6b0593c9726b","rule":"test.rule","identity":[["name","b"]],"title":"finding b","severity":"critical","reasons":["it is made up"],"description":"","remedy":"none","owner":"OT","assets":["plc-1"],"protocol":"","operation":"","verdict":null,"zones":["cell"],"technique":[],"requirement":[],"changes":[],"suggestion":"","count":0,"first_time":"2026-03-02T09:00:00.000000000Z","last_time":"2026-03-02T09:00:01.000000000Z","evidence":[],"state":"open","steps":[],"uuid":"","false_positives":[]}');
INSERT INTO "findings" VALUES('edff55822a58d006','test.rule','medium','OT','open',NULL,1772442000000000000,1772442001000000000,2,1,'3cbf43175f786f26','302f4543a297abef',1,1772442000000000000,1772442000000000000,'{"id":"edff55822a58d006","rule":"test.rule","identity":[["name","a"]],"title":"finding a","severity":"medium","reasons":["it is made up"],"description":"","remedy":"none","owner":"OT","assets":["plc-1"],"protocol":"","operation":"","verdict":null,"zones":["cell"],"technique":[],"requirement":[],"changes":[],"suggestion":"","count":0,"first_time":"2026-03-02T09:00:00.000000000Z","last_time":"2026-03-02T09:00:01.000000000Z","evidence":[],"state":"open","steps":[],"uuid":"","false_positives":[]}');
CREATE TABLE heads (
    number INTEGER PRIMARY KEY,  -- of the last decision seen
    hash TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE health (
    subject TEXT PRIMARY KEY,
    severity TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'resolved')),
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    told INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "health" VALUES('health.mirror','high','one direction only','see the switch','open',1772442002000000000,1772442002000000000,1);
CREATE TABLE incidents (
    id TEXT PRIMARY KEY,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    owner TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'accepted', 'resolved')),
    decision INTEGER,            -- number of the acceptance in decisions.db
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    period INTEGER NOT NULL REFERENCES periods (number),  -- the last that supports it
    earlier INTEGER REFERENCES periods (number),          -- the one before, which supports it as well
    gravity TEXT NOT NULL,       -- digest of what was told last: severity, verdict
    story TEXT NOT NULL,         -- digest of what was told last: all else
    told INTEGER NOT NULL,       -- how often
    told_at INTEGER NOT NULL,
    changed INTEGER NOT NULL,    -- when its state changed last
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "incidents" VALUES('edff55822a58d00i','','high','OT','open',NULL,0,0,1,NULL,'1b8c47a2b5a7f086','ca0169ce7acec0de',1,1772442000000000000,1772442000000000000,'{"id":"edff55822a58d00i","title":"a story","severity":"high","reasons":["why"],"owner":"OT","assets":["plc-1"],"steps":[],"findings":["edff55822a58d006","759d6b0593c9726b"],"technique":[],"pattern":"","first_time":null,"last_time":null}');
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    subject TEXT NOT NULL,
    at INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;
INSERT INTO "outbox" VALUES(1,'759d6b0593c9726b','759d6b0593c9726b',1772442000000000000,'{"@timestamp": "2026-03-02T09:00:01.000Z", "ecs": {"version": "8.17.0"}, "event": {"category": ["network", "intrusion_detection"], "dataset": "zonewatch.findings", "end": "2026-03-02T09:00:01.000Z", "id": "759d6b0593c9726b", "kind": "alert", "module": "zonewatch", "reason": "it is made up", "severity": 99, "start": "2026-03-02T09:00:00.000Z", "type": ["info"]}, "message": "finding b", "observer": {"product": "zonewatch", "type": "ids", "vendor": "zonewatch", "version": "0.1.0"}, "rule": {"id": "test.rule", "name": "test: rule"}, "tags": ["ot", "zonewatch"], "zonewatch": {"assets": ["plc-1"], "count": 0, "owner": "OT", "remedy": "none", "severity": "critical", "state": "open", "subject": "759d6b0593c9726b", "telling": 1, "zones": ["cell"]}}');
INSERT INTO "outbox" VALUES(2,'edff55822a58d006','edff55822a58d006',1772442000000000000,'{"@timestamp": "2026-03-02T09:00:01.000Z", "ecs": {"version": "8.17.0"}, "event": {"category": ["network", "intrusion_detection"], "dataset": "zonewatch.findings", "end": "2026-03-02T09:00:01.000Z", "id": "edff55822a58d006", "kind": "alert", "module": "zonewatch", "reason": "it is made up", "severity": 47, "start": "2026-03-02T09:00:00.000Z", "type": ["info"]}, "message": "finding a", "observer": {"product": "zonewatch", "type": "ids", "vendor": "zonewatch", "version": "0.1.0"}, "rule": {"id": "test.rule", "name": "test: rule"}, "tags": ["ot", "zonewatch"], "zonewatch": {"assets": ["plc-1"], "count": 0, "owner": "OT", "remedy": "none", "severity": "medium", "state": "open", "subject": "edff55822a58d006", "telling": 1, "zones": ["cell"]}}');
INSERT INTO "outbox" VALUES(3,'edff55822a58d00i','edff55822a58d00i',1772442000000000000,'{"@timestamp": "2026-03-02T09:00:00.000Z", "ecs": {"version": "8.17.0"}, "event": {"category": ["network", "intrusion_detection"], "dataset": "zonewatch.incidents", "id": "edff55822a58d00i", "kind": "alert", "module": "zonewatch", "reason": "why", "severity": 73, "type": ["info"]}, "message": "a story", "observer": {"product": "zonewatch", "type": "ids", "vendor": "zonewatch", "version": "0.1.0"}, "rule": {"id": "incident", "name": "incident"}, "tags": ["ot", "zonewatch"], "zonewatch": {"assets": ["plc-1"], "findings": ["edff55822a58d006", "759d6b0593c9726b"], "owner": "OT", "severity": "high", "state": "open", "subject": "edff55822a58d00i", "telling": 1}}');
INSERT INTO "outbox" VALUES(4,'759d6b0593c9726b.2','759d6b0593c9726b',1772442001000000000,'{"@timestamp": "2026-03-02T09:00:01.000Z", "ecs": {"version": "8.17.0"}, "event": {"category": ["network", "intrusion_detection"], "dataset": "zonewatch.findings", "end": "2026-03-02T09:00:01.000Z", "id": "759d6b0593c9726b.2", "kind": "alert", "module": "zonewatch", "reason": "it is made up", "severity": 99, "start": "2026-03-02T09:00:00.000Z", "type": ["info"]}, "message": "finding b", "observer": {"product": "zonewatch", "type": "ids", "vendor": "zonewatch", "version": "0.1.0"}, "rule": {"id": "test.rule", "name": "test: rule"}, "tags": ["ot", "zonewatch"], "zonewatch": {"assets": ["plc-1"], "count": 0, "owner": "OT", "remedy": "none", "severity": "critical", "state": "resolved", "subject": "759d6b0593c9726b", "telling": 2, "zones": ["cell"]}}');
INSERT INTO "outbox" VALUES(5,'health.mirror','health.mirror',1772442002000000000,'{"@timestamp": "2026-03-02T09:00:02.000Z", "ecs": {"version": "8.17.0"}, "event": {"category": ["host"], "dataset": "zonewatch.health", "id": "health.mirror", "kind": "alert", "module": "zonewatch", "severity": 73, "start": "2026-03-02T09:00:02.000Z", "type": ["info"]}, "message": "one direction only", "observer": {"product": "zonewatch", "type": "ids", "vendor": "zonewatch", "version": "0.1.0"}, "rule": {"id": "health.mirror", "name": "health: mirror"}, "tags": ["ot", "zonewatch"], "zonewatch": {"remedy": "see the switch", "severity": "high", "state": "open", "subject": "health.mirror", "telling": 1}}');
CREATE TABLE periods (
    number INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (number),
    version TEXT NOT NULL,
    sources TEXT NOT NULL,       -- JSON array
    policy TEXT REFERENCES texts (hash),
    baseline TEXT REFERENCES texts (hash),
    began INTEGER NOT NULL,
    last INTEGER NOT NULL,
    ended INTEGER,
    state TEXT NOT NULL CHECK (state IN ('running', 'whole', 'broken')),
    passes INTEGER NOT NULL,
    rest BLOB,                   -- of a running or broken one: what of its result no other table holds (zstd)
    result BLOB                  -- of a whole one: result.json (zstd); none once it is too old
) STRICT;
INSERT INTO "periods" VALUES(1,1,'0.1.0','["tap"]','74348fc7d3bec14636a3c161e4cedbe81d89dd06a2bb282269d9dce8b55dea6a',NULL,1772442000000000000,1772442001000000000,1772442001000000000,'whole',2,NULL,X'28B52FFD004835200006F99623306DDB068CB0306869A795B766F16DDBD4E891B20606B8CC20238F214E0E2C2C6A00038D008C008E000F26C2C0B8DE7C24FE7FA27C416E5621BCF0FF9FA72A1F87A30EFC174ADADA12FECE5955AB0DB3C9D251C9342B5FD0753A87220D3DCF73F8270A4C500214655194C54041582800030A4063A12CF00B36CC38847FA240FC82B95A1BFF4431F127A80408042888FF9F28D0911A41723902BF603E68F1FF13892FB8981BFF4421F00597D5B57C30BD9ECB867F22110EC2ABC14EFA48C6417835CF6B601C12AFB4F938A8354C762EF6705A85F06A18954A1D93CB0C390C390EAB8B5908AFC33EC529D53E942C1B4ABAD8534CBFD42F39C64D312ABB31CBC6A87CB4F735D48EC9B4B9D4A1B5D6DB2F988F36D3AE69D311068784582E7640F00BBAD7A81DA6835A3E38A57A2B2D27A67917A5E5887DCBDA68B13E5442782DD44955CB006931FC15100E30E280E0BF60A4B5E5235DA471BB23551455C0408B450183D1342AF10B2AC5FF7FA2A034AD42686BF4B43EBADA6B8612BA5C8E70CB0E655BC831E3C65A2E849F6C1771F837180BE4704917B305852FB8A0F0059DCBA6546AEB433BA147D14ADAAA14E3AAA31FC9E5429CD02AC3C3A9751F722E9F741639124432C64D316E595BD7E1944D2D6E98C944A20DF3D056C78C49B750A3F4BD4DC6F80553A0F77172E938CFE1FFF7E6934DDF43B6B532E1DF9231FE9CB8B9B1E5C52F1851F96443A62DB954EC3D157AEEF4ADE8C9C28FF0FF23ADBDA914FFD702DA65E317CCF55A6333DD3E4723E6DE3EA58FC43F512C282413FF9F6CCB6EC4F23DE83A52364363416090060C180A4343193008F06F20CB76020180AFA87111318A21674648922485E930024214B2A2F2124020105894065A1465083175535B296D6C07F8910073E1B23477C0D986F2C2D81FA5C13813376BB0BA17F6281549C8AA686C0678A2D0821AC5254AC5E1838DF3EC3CDCC16A75211506A9C6230C0113B3C8A6102D74BBB40DF69D5D870B325E33E471C9FA7F5E510883156CF0B60C423F82438923DCE8E7A1935540D26A0358E913DFDEA0AA109C2BF5A31AFB85D21CDF9F37731A291E31742F43E042831B2A52AA26D79043F30939B1ADEFB5A5A87E9E9B0D5509E93F721D67A429E68ED837A961979221B3E638C52904A0B8E0060DDAA340A336CE3A2125DDD67EBF1202CA141EC9D27DD3CC1157723A8131D090DB290D414DF75972DA3E12133621297A5B7E582EEA64C48CD1E31F01E1BC4CBE03EBA9EBDC7234E70CC614AC56776FABBC88C41ECE25276A9F4D272C4933910412C4B96604A2F149A312CD15DF5025C24AA63356F09128850C87E840ABAF2738428E2F5A1F4A17213A6A3EEF3F5FA5ED69DBCF33C3DFB28C9CE5CB4EBBAE942071707E8A1A266E0EFA4450E288408FC41953F907871EF576D21C54451B431D74155701');
INSERT INTO "periods" VALUES(2,1,'0.1.0','["tap"]','74348fc7d3bec14636a3c161e4cedbe81d89dd06a2bb282269d9dce8b55dea6a',NULL,1772442001000000000,1772442002000000000,NULL,'running',1,X'28B52FFD0048051500D6A76B20506BDBD866BA291350261127B13B4984606176669A8250CF0F6F0A9979BB50036700600060004D17A5E71BC124FDD51D3138C4D8F3443C1089800420488220890172904000061080820492484C52E9E328110F442626A9EBF713F1403C201E8904080420998888072219E951A3DC0D89492A439C8888870326B9BA3F110F840026C9BDEE9439BF9EAB4BC4C321EF4713EB5A476BADC798A4B2FDF3EE5679868446424D57339AC424FD3D7A4F5D9053A693AAB712773ADFCC287137F0E3DE47AB9751DAF45AE8D32AA7CC614838FEAC8C3E2098642BBC4D2FF65629632CCB48C485D2FEBA9488BEF02A5EE5B006AE4C17468CB4A0ADB553C7B9F797974EEAD46AE578D34BC94FCBE8F1A697C29EC269A45E89952DC829475F57639D789B5ECA51AAD68F7237B434B43478D7E1A6B9C14F7552C50F695387D2AEF6D4F997FE256FEDD451FAAE9BBAA394EDF37328C7C3B150B0AAF3633C6AFEF8A965F4402C146A13EFC2BA47EC97ED72EF1B4AE9CADDE0DC8ED42DE4DDDA35A7DC34D377064FC40282046278DAD56DA1C024170A4CD25D9D52BABFCC7E426CD14AFBAB54272FE399E4BA5027C49BC03AFDF2431E63A82109514E22874846619AAD0320022290CC8A1D1124088A39C6984423246E0E2B16A739FA573917451A4C085E8831FCD96AB449F2E9D91789C8BD215D51FB4F99F25E87AE38BE3198A9CAF0136D018A9C04695C0EE6AC38DAAB12132221A1F6E6FDA859749F11E0D1FEFF0D42894EA6C69AD7F560A1CCAD89910E6B4370274C3E7AB20E37D951FFB04E9CAFCA9364E0488D26B8D3847E9471F645539685519BF657382F8D82AD86B8C1CA3982E8E388543556C784C951D2EC13557D330D453DBFE9AEC18818FCBD5BB0492529E13E98C662B040A74ACBA54C84CC2976D98E1F375E39768B0FB4A0CD531D3462AA',NULL);
CREATE TABLE removed (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    name TEXT NOT NULL,          -- a file, or what rows
    bytes INTEGER NOT NULL,
    why TEXT NOT NULL
) STRICT;
CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    version TEXT NOT NULL,       -- of zonewatch
    started INTEGER NOT NULL,
    last INTEGER NOT NULL,       -- when it recorded last
    ended INTEGER,               -- none: it runs, or ended without closing
    notes TEXT NOT NULL          -- what it found at its start: JSON array of sentences
) STRICT;
INSERT INTO "runs" VALUES(1,'0.1.0',1772442000000000000,1772442002000000000,1772442002000000000,'[]');
CREATE TABLE texts (
    hash TEXT PRIMARY KEY,       -- SHA-256 of the text in UTF-8
    kind TEXT NOT NULL CHECK (kind IN ('policy', 'baseline')),
    at INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "texts" VALUES('74348fc7d3bec14636a3c161e4cedbe81d89dd06a2bb282269d9dce8b55dea6a','policy',1772442000000000000,'policy_version: 1
');
CREATE INDEX assets_by_period ON assets (period);
CREATE INDEX edges_by_period ON edges (period);
CREATE INDEX edges_by_last ON edges (last);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('outbox',5);
COMMIT;
