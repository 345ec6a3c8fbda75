// void resume(const struct frame *frame): the way into the first case; later ones go through the vectors.
        .text
        .global resume
        .type   resume, %function
resume:
        ldr     x1, [x0, #248]
        msr     sp_el0, x1
        ldp     x1, x2, [x0, #256]
        msr     elr_el1, x1
        msr     spsr_el1, x2
        ldp     x30, x1, [x0, #240]
        ldp     x28, x29, [x0, #224]
        ldp     x26, x27, [x0, #208]
        ldp     x24, x25, [x0, #192]
        ldp     x22, x23, [x0, #176]
        ldp     x20, x21, [x0, #160]
        ldp     x18, x19, [x0, #144]
        ldp     x16, x17, [x0, #128]
        ldp     x14, x15, [x0, #112]
        ldp     x12, x13, [x0, #96]
        ldp     x10, x11, [x0, #80]
        ldp     x8, x9, [x0, #64]
        ldp     x6, x7, [x0, #48]
        ldp     x4, x5, [x0, #32]
        ldp     x2, x3, [x0, #16]
        ldp     x0, x1, [x0]
        eret
        .size   resume, . - resume
