/** Mnemonics of the groups that have one row for the whole group, for highlighting and the coverage page. */

const mnemonics = (text: string): readonly string[] => text.trim().split(/\s+/);

export const vectorMnemonics = mnemonics(`
  abs add addhn addhn2 addp addv aesd aese aesimc aesmc and bfcvtn bfcvtn2 bfdot bfmlalb bfmlalt bfmmla bic bif
  bit bsl cls clz cmeq cmge cmgt cmhi cmhs cmle cmlt cmtst dup eor ext fabd fabs facge facgt fadd faddp fcadd
  fcmeq fcmge fcmgt fcmla fcmle fcmlt fcvtas fcvtau fcvtl fcvtl2 fcvtms fcvtmu fcvtn fcvtn2 fcvtns fcvtnu fcvtps
  fcvtpu fcvtxn fcvtxn2 fcvtzs fcvtzu fdiv fmax fmaxnm fmaxnmp fmaxnmv fmaxp fmaxv fmin fminnm fminnmp fminnmv
  fminp fmla fmlal fmlal2 fmls fmlsl fmlsl2 fmov fmul fmulx fneg frecpe frecps frint32x frint64x frint64z frinta
  frinti frintm frintn frintp frintx frintz frsqrte frsqrts fsqrt fsub ins mla mls mov movi mul mvn mvni neg not
  orn orr pmul pmull pmull2 raddhn raddhn2 rbit rev16 rev32 rev64 rshrn rshrn2 rsubhn rsubhn2 saba sabal sabal2
  sabd sabdl sabdl2 sadalp saddl saddl2 saddlp saddlv saddw saddw2 scvtf sdot shadd shl shll shll2 shrn shrn2
  shsub sli smax smaxp smaxv smin sminp sminv smlal smlal2 smlsl smlsl2 smmla smov smull smull2 sqabs sqadd
  sqdmlal sqdmlal2 sqdmlsl sqdmlsl2 sqdmulh sqdmull sqdmull2 sqneg sqrdmlah sqrdmlsh sqrdmulh sqrshl sqrshrn
  sqrshrn2 sqrshrun sqrshrun2 sqshl sqshlu sqshrn sqshrn2 sqshrun sqshrun2 sqsub sqxtn sqxtn2 sqxtun sqxtun2
  srhadd sri srshl srshr srsra sshl sshll sshll2 sshr ssra ssubl ssubl2 ssubw ssubw2 sub subhn subhn2 sudot suqadd
  sxtl sxtl2 tbl tbx trn1 trn2 uaba uabal uabal2 uabd uabdl uabdl2 uadalp uaddl uaddl2 uaddlp uaddlv uaddw uaddw2
  ucvtf udot uhadd uhsub umax umaxp umaxv umin uminp uminv umlal umlal2 umlsl umlsl2 ummla umov umull umull2 uqadd
  uqrshl uqrshrn uqrshrn2 uqshl uqshrn uqshrn2 uqsub uqxtn uqxtn2 urecpe urhadd urshl urshr ursqrte ursra usdot
  ushl ushll ushll2 ushr usmmla usqadd usra usubl usubl2 usubw usubw2 uxtl uxtl2 uzp1 uzp2 xtn xtn2 zip1 zip2
`);

export const scalarSimdMnemonics = mnemonics(`
  abs add cmeq cmge cmgt cmhi cmhs cmle cmlt cmtst fabd facge facgt faddp fcmeq fcmge fcmgt fcmle fcmlt fcvtas
  fcvtau fcvtms fcvtmu fcvtns fcvtnu fcvtps fcvtpu fcvtxn fcvtzs fcvtzu fmaxnmp fmaxp fminnmp fminp fmla fmls fmul
  fmulx frecpe frecps frecpx frsqrte frsqrts mov neg scvtf sha1c sha1h sha1m sha1p sha1su0 sha1su1 sha256h
  sha256h2 sha256su0 sha256su1 shl sli sqabs sqadd sqdmlal sqdmlsl sqdmulh sqdmull sqneg sqrdmlah sqrdmlsh
  sqrdmulh sqrshl sqrshrn sqrshrun sqshl sqshlu sqshrn sqshrun sqsub sqxtn sqxtun sri srshl srshr srsra sshl sshr
  ssra sub suqadd ucvtf uqadd uqrshl uqrshrn uqshl uqshrn uqsub uqxtn urshl urshr ursra ushl ushr usqadd usra
`);

export const floatMnemonics = mnemonics(`
  bfcvt fabs fadd fccmp fccmpe fcmp fcmpe fcsel fcvt fcvtas fcvtau fcvtms fcvtmu fcvtns fcvtnu fcvtps fcvtpu
  fcvtzs fcvtzu fdiv fjcvtzs fmadd fmax fmaxnm fmin fminnm fmov fmsub fmul fneg fnmadd fnmsub fnmul frint32x
  frint32z frint64x frint64z frinta frinti frintm frintn frintp frintx frintz fsqrt fsub scvtf ucvtf
`);

export const cryptoMnemonics = mnemonics(`
  bcax eor3 rax1 sha512h sha512h2 sha512su0 sha512su1 sm3partw1 sm3partw2 sm3ss1 sm3tt1a sm3tt1b sm3tt2a sm3tt2b
  sm4e sm4ekey xar
`);
